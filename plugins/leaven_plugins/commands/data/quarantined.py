"""The samples of a dataset that a quarantine file lists."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from leaven.errors import DatasetError, printable
from leaven.stream.quarantine import Listed, name_of, read_quarantine

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven_plugins.commands.data.checking import Checked


class Quarantined(NamedTuple):
    """What a file lists.

    Attributes:
        found: samples of the dataset, by position; one that is listed several times is there once.
        missing: those that the dataset does not have.
        elsewhere: how many lines are about other datasets.
    """

    found: dict[int, Listed]
    missing: list[Listed]
    elsewhere: int


def quarantined(path: Path, dataset: Dataset) -> Quarantined:
    """Return what a file lists of this dataset.

    Raises:
        DatasetError: the file cannot be read, or is about other datasets only.
        FormatError: it is no quarantine file.
    """
    found: dict[int, Listed] = {}
    missing: list[Listed] = []
    others: list[str] = []
    count, name = len(dataset), name_of(dataset)
    for listed in read_quarantine(path):
        if not _same(listed.dataset, name):
            others.append(listed.dataset)
        elif listed.index is None or not 0 <= listed.index < count:
            missing.append(listed)
        else:
            found.setdefault(listed.index, listed)
    if others and not found and not missing:
        raise DatasetError(
            f"quarantine file {path}: nothing in it is about {printable(name)}; {len(others)} "
            f"line{'s' * (len(others) != 1)} about other datasets, such as {printable(others[0])}"
        )
    return Quarantined(found, missing, len(others))


def compare(checked: Checked, listed: Quarantined) -> None:
    """Note what became of the listed samples."""
    failed = {failure.index for failure in checked.failures}
    checked.fine = [listed.found[index] for index in sorted(listed.found) if index not in failed]
    checked.missing, checked.elsewhere = listed.missing, listed.elsewhere


def _same(one: str, other: str) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)
