"""``leaven data split``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.commands.data import destination

if TYPE_CHECKING:
    from leaven_plugins.commands.data.destination import Writing


@click.command()
@click.argument("source", metavar="FILE")
@click.argument("indices", nargs=-1, type=click.IntRange(0), metavar="[INDEX]...")
@click.option("--percent", metavar="A,B,...", help="Cut into parts of so many percent, in place of at indices.")
@click.option(
    "--out", "-o", "outs", multiple=True, type=click.Path(path_type=Path), help="A part's file. Given for each part."
)
@destination.writing_options
def split(writing: Writing, source: str, indices: tuple[int, ...], percent: str | None, outs: tuple[Path, ...]) -> None:
    """Cut FILE before the samples at each INDEX, and write its parts to ROOT-0.EXT, ROOT-1.EXT ... beside it.

    With --percent, the parts have so many percent of the samples each; what is left over goes nowhere.

    The JSON object has the key files, a list with an object for each: path, format, samples, bytes and seconds.
    """
    if bool(indices) == (percent is not None):
        raise click.UsageError("say where to cut: at indices, or with --percent")
    total = writing.length(source)
    bounds = _at_indices(indices, total) if percent is None else _at_percents(percent, total)
    paths = _paths(source, outs, len(bounds) - 1)
    if taken := [path for path in paths if path.exists() and not writing.how["overwrite"]]:
        raise DatasetError(f"{taken[0]}: exists already; --overwrite replaces it")
    made = []
    for path, (first, last) in zip(paths, pairwise(bounds), strict=True):
        part = [*writing.views, {"use": "subset", "start": first, "stop": last}]
        made.append((path, writing.write(source, part, path)))
    writing.tell(made)


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
        files = len(set(map(os.path.realpath, outs)))
        if len(outs) != count or files != count:
            raise ParameterError(f"there are {count} parts, and {files} files to write them to (-o)")
        return list(outs)
    path = Path(source)
    if not path.suffix or "://" in source or source.startswith(("dataset:", "{")):
        raise ParameterError(f"{source}: is no file that parts could be named after; name them with -o")
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(count)]
