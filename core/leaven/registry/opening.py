"""Opening: from a path, an address or a spec to a dataset; the format is found by suffix, folder or name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.errors import DatasetError, LeavenError, NameClash, ParameterError, UnknownName, listing, suggestion
from leaven.places import remote_copy
from leaven.registry.calls import bound, parse_call
from leaven.registry.parameters import parameters_of
from leaven.registry.patterns import braces, natural
from leaven.registry.toml import value_of

if TYPE_CHECKING:
    from leaven.registry.offers import Offer
    from leaven.registry.registry import Registry


_PATTERN = re.compile(r"[*?\[{]")
_WILD = re.compile(r"[*?\[]")


class Located(NamedTuple):
    """The component that reads a dataset, and the parameters that it needs for that."""

    offer: Offer
    params: dict[str, Any]


class Writer(NamedTuple):
    """A ``format`` by name, and its ``write(path, samples)``, which returns how many samples it wrote."""

    format: str
    write: Callable[..., int]


def open_dataset(
    what: str | Path | Mapping[str, Any] | Sequence[str | Path],
    registry: Registry | None = None,
    *,
    views: Sequence[Any] = (),
    **params: Any,
) -> Any:
    """Open a dataset; also ``leaven.open``.

    ::

        with closing(leaven.open("photos.msgpack", views=["percent(0, 80)", "shuffle(seed=5)"])) as train:
            print(len(train), train.sample(0))

    Args:
        what: a file, whose suffix tells the format; a folder of images; a pattern such as ``train_*.msgpack``, or a
            list, for several that follow each other; an address such as ``https://host/train.msgpack``; a spec such as
            ``digits`` or ``dataset:digits``; or a table with ``use``, also as text of TOML. Where a file or folder
            and a component have the same name, the file or folder is meant; ``dataset:`` in front makes it a spec.
        registry: where components are looked up; by default :func:`leaven.default_registry`.
        views: datasets over it, from the innermost to the outermost: call strings, specs or tables.
        **params: further parameters of the component.

    Raises:
        DatasetError: no such file, or no component for it.
        LookupFailed: no such component.
        ParameterError: it does not take these parameters.
    """
    if registry is None:
        from leaven.registry.registry import default_registry

        registry = default_registry()
    located = locate(what, registry)
    table = {"use": located.offer.qualified, **located.params, **params}
    if views:
        table["views"] = [*_listed(table.get("views", ())), *_listed(views)]
    return registry.create(table, kind="dataset")


def locate(what: str | Path | Mapping[str, Any] | Sequence[str | Path], registry: Registry) -> Located:
    """Return which component reads the dataset; arguments and errors as for :func:`open_dataset`."""
    if isinstance(what, Mapping) or (isinstance(what, str) and what.lstrip().startswith("{")):
        return _of_table(what, registry)
    if not isinstance(what, (str, os.PathLike)):
        return _in_a_row([str(os.fspath(path)) for path in what], registry)
    text = os.fspath(what)
    path = Path(text)
    if not text:
        raise ParameterError("dataset: the path is empty")
    if text.startswith("dataset:"):
        return _of_spec(text, registry)
    if "://" in text:
        return _remote(text, registry)
    if path.is_dir():
        return Located(registry.find("folder", kind="dataset"), {"path": text})
    if path.exists():
        return Located(_by_suffix(path, registry), {"path": text})
    if _PATTERN.search(text) and "(" not in text:
        return _in_a_row(_matching(text), registry)
    if (path.suffix or len(path.parts) != 1) and "(" not in text:
        raise DatasetError(f"{text}: no such file or folder{_neighbour(path)}")
    try:
        return _of_spec(text, registry)
    except UnknownName as error:
        raise UnknownName(f"{error}; there is no file or folder {text!r} either") from None


def find_writer(path: Path, format: str | None, registry: Registry) -> Writer:  # noqa: A002 - as the option is called
    """Return what writes a dataset to ``path``.

    Args:
        path: where to; its suffix tells the format unless ``format`` does: ``folder`` where it has none.
        format: name of a dataset component.
        registry: where components are looked up.

    Raises:
        DatasetError: no component is for this suffix, or it cannot write.
        LookupFailed: no such component.
    """
    name = format or ("" if path.suffix else "folder")
    offer = registry.find(name, kind="dataset") if name else _by_suffix(path, registry)
    write = getattr(offer.load(), "write", None)
    if write is None:
        formats = listing(name for name, target in _loadable(registry) if hasattr(target, "write"))
        raise DatasetError(f"{offer.spec} cannot be written; formats that can: {formats}")
    return Writer(offer.name, write)


def _of_spec(text: str, registry: Registry) -> Located:
    call = parse_call(text)
    offer = registry.find(call.spec, kind="dataset")
    return Located(offer, bound(call, target := offer.load(), parameters_of(target)))


def _of_table(what: str | Mapping[str, Any], registry: Registry) -> Located:
    table = value_of(what) if isinstance(what, str) else what
    if not isinstance(table, Mapping) or not isinstance(table.get("use"), str):
        example = '{ use = "folder", path = "images" }'
        raise ParameterError(f"{what}: not a table of a dataset in the form of TOML, such as {example}")
    located = _of_spec(table["use"], registry)
    return Located(located.offer, located.params | {key: value for key, value in table.items() if key != "use"})


def _in_a_row(paths: Sequence[str], registry: Registry) -> Located:
    """Return what reads several files one after the other."""
    found = [locate(path, registry) for path in paths]
    tables = [{"use": located.offer.qualified, **located.params} for located in found]
    return found[0] if len(found) == 1 else Located(registry.find("concat", kind="dataset"), {"datasets": tables})


def _matching(pattern: str) -> list[str]:
    """Return the files that a pattern means, sorted naturally: ``{0..3}`` is a range of numbers, ``{a,b}`` a choice."""
    patterns = list(braces(pattern))
    found = sorted({path for one in patterns for path in glob(one)}, key=natural)
    missing = [one for one in patterns if not _WILD.search(one) and one not in found]
    if missing or not found:
        raise DatasetError(f"{missing[0] if missing else pattern}: no such file{_neighbour(Path(pattern))}")
    return found


def _remote(uri: str, registry: Registry) -> Located:
    """Return what fetches a dataset, and reads it from where it is kept on this machine."""
    local = remote_copy(uri)
    inner = _by_suffix(local, registry)
    table = {"use": inner.qualified, "path": str(local)}
    return Located(registry.find("remote", kind="dataset"), {"uri": uri, "dataset": table})


def _listed(views: Any) -> list[Any]:
    return [views] if isinstance(views, (str, Mapping)) else list(views)


def _by_suffix(path: Path, registry: Registry) -> Offer:
    suffixes = {name: tuple(getattr(target, "suffixes", ())) for name, target in _loadable(registry)}
    found = [name for name, ends in suffixes.items() if path.name.lower().endswith(ends)]
    if len(found) > 1:
        raise NameClash(f"{path}: several formats have this suffix: {listing(found)}; block all but one of them")
    if not found:
        known = listing(f"{end} ({name})" for name, ends in suffixes.items() for end in ends)
        raise DatasetError(f"{path}: no format for the suffix {path.suffix!r}; there is: {known}")
    return registry.find(found[0], kind="dataset")


def _loadable(registry: Registry) -> list[tuple[str, Any]]:
    """Return qualified name and class of each dataset component whose packages are installed."""
    found = []
    for offer in registry.offers("dataset"):
        try:
            found.append((f"{offer.plugin.name}/{offer.name}", offer.load()))
        except LeavenError:  # what is wrong with it is told when it is asked for
            continue
    return found


def _neighbour(path: Path) -> str:
    folder = path.parent
    return suggestion(path.name, os.listdir(folder)) if folder.is_dir() else f", and no folder {folder}"
