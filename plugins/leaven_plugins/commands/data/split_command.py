"""``leaven data split``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.commands.data import destination
from leaven_plugins.commands.data.options import as_json as as_json_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("source", metavar="FILE")
@click.argument("indices", nargs=-1, type=click.IntRange(0), metavar="[INDEX]...")
@click.option("--percent", metavar="A,B,...", help="Cut into parts of so many percent, in place of at indices.")
@click.option(
    "--out", "-o", "outs", multiple=True, type=click.Path(path_type=Path), help="A part's file. Given for each part."
)
@destination.writer_options
@destination.view_option
@destination.overwrite_option
@as_json_option
@click.pass_obj
def split(
    registry: Registry,
    source: str,
    indices: tuple[int, ...],
    percent: str | None,
    outs: tuple[Path, ...],
    format_: str | None,
    options: dict[str, Any],
    views: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Cut FILE before the samples at each INDEX, and write its parts to ROOT-0.EXT, ROOT-1.EXT ... beside it.

    With --percent, the parts have so many percent of the samples each; what is left over goes nowhere.

    The JSON object has the key files, a list with an object for each: path, format, samples, bytes and seconds.
    """
    from leaven.registry.opening import open_dataset

    if bool(indices) == (percent is not None):
        raise click.UsageError("say where to cut: at indices, or with --percent")
    start = time.monotonic()
    with closing(open_dataset(source, registry, views=views)) as dataset:
        total = len(dataset)
    bounds = _at_indices(indices, total) if percent is None else _at_percents(percent, total)
    paths = _paths(source, outs, len(bounds) - 1)
    if taken := [path for path in paths if path.exists() and not overwrite]:
        raise DatasetError(f"{taken[0]}: exists already; --overwrite replaces it")
    made = []
    for path, (first, last) in zip(paths, pairwise(bounds), strict=True):
        part = [*views, {"use": "subset", "start": first, "stop": last}]
        writing = {"format": format_, "options": options, "overwrite": overwrite}
        made.append((path, destination.write_from(registry, source, part, path, {}, **writing)))
    destination.tell(made, start, as_json)


def _at_indices(indices: Sequence[int], total: int) -> list[int]:
    bounds = [0, *indices, total]
    if bounds != sorted(set(bounds)):
        text = ", ".join(map(str, indices))
        raise ParameterError(f"cannot cut at {text}: expected numbers that rise, from 1 to {total - 1}")
    return bounds


def _at_percents(text: str, total: int) -> list[int]:
    try:
        shares = [Fraction(part) for part in text.split(",")]
    except (ValueError, ZeroDivisionError):
        raise ParameterError(f"--percent {text}: expected numbers such as 80,20") from None
    if min(shares) <= 0 or sum(shares) > 100:
        raise ParameterError(f"--percent {text}: expected numbers above 0, of 100 in all at most")
    bounds = [0, *(int(share * total / 100) for share in accumulate(shares))]
    if bounds != sorted(set(bounds)):
        raise ParameterError(f"--percent {text}: a part would have none of the {total} samples")
    return bounds


def _paths(source: str, outs: Sequence[Path], count: int) -> list[Path]:
    if outs:
        if len(outs) != count or len(set(outs)) != count:
            raise ParameterError(f"there are {count} parts, and {len(set(outs))} files to write them to (-o)")
        return list(outs)
    path = Path(source)
    if not path.suffix or "://" in source or source.startswith(("dataset:", "{")):
        raise ParameterError(f"{source}: is no file that parts could be named after; name them with -o")
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(count)]
