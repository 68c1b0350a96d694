"""From a path or a spec to a dataset: the format is found by suffix, folder or name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.errors import DatasetError, LeavenError, NameClash, UnknownName, listing, suggestion

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven.registry.offers import Offer
    from leaven.registry.registry import Registry


class Located(NamedTuple):
    """The component that reads a dataset, and the parameters that it needs for that."""

    offer: Offer
    params: dict[str, Any]


class Writer(NamedTuple):
    """A ``format`` by name, and its ``write(path, samples)``, which returns how many samples it wrote."""

    format: str
    write: Callable[..., int]


def open_dataset(path_or_spec: str | Path, registry: Registry, **params: Any) -> Dataset:
    """Return the dataset that is meant.

    Args:
        path_or_spec: a file, whose suffix tells the format; a folder of images; or a spec such as ``digits`` or
            ``dataset:digits``. Where both exist, the file or folder is meant; ``dataset:`` in front makes it a spec.
        registry: where components are looked up.
        **params: further parameters of the component.

    Raises:
        DatasetError: no such file, or no component for it.
        LookupFailed: no such component.
        ParameterError: it does not take these parameters.
    """
    located = locate(path_or_spec, registry)
    dataset: Dataset = registry.create(located.offer.qualified, **{**located.params, **params})
    return dataset


def locate(path_or_spec: str | Path, registry: Registry) -> Located:
    """Return which component reads the dataset; arguments and errors as for :func:`open_dataset`."""
    text = os.fspath(path_or_spec)
    path = Path(text)
    if text.startswith("dataset:"):
        return Located(registry.find(text), {})
    if path.is_dir():
        return Located(registry.find("folder", kind="dataset"), {"path": text})
    if path.exists():
        return Located(_by_suffix(path, registry), {"path": text})
    if path.suffix or len(path.parts) != 1:
        raise DatasetError(f"{text}: no such file or folder{_neighbour(path)}")
    try:
        return Located(registry.find(text, kind="dataset"), {})
    except UnknownName as error:
        raise UnknownName(f"{error}; there is no file or folder {text!r} either") from None


def find_writer(path: Path, format: str | None, registry: Registry) -> Writer:  # noqa: A002 - as the option is called
    """Return what writes a dataset to ``path``.

    Args:
        path: where to; its suffix tells the format unless ``format`` does.
        format: name of a dataset component.
        registry: where components are looked up.

    Raises:
        DatasetError: no component is for this suffix, or it cannot write.
        LookupFailed: no such component.
    """
    offer = registry.find(format, kind="dataset") if format else _by_suffix(path, registry)
    write = getattr(offer.load(), "write", None)
    if write is None:
        formats = listing(name for name, target in _loadable(registry) if hasattr(target, "write"))
        raise DatasetError(f"{offer.spec} cannot be written; formats that can: {formats}")
    return Writer(offer.name, write)


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
