"""The samples of a dataset that a quarantine file lists."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from leaven.stream.quarantine import Listed, name_of, read_quarantine

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven_plugins.commands.data.checking import Checked


def quarantined(path: Path, dataset: Dataset) -> tuple[dict[int, Listed], list[Listed]]:
    """Return the samples of this dataset that a file lists, by position; and those that the dataset does not have.

    Lines about other datasets do not count. A sample that is listed several times is there once.

    Raises:
        DatasetError: the file cannot be read.
        FormatError: it is no quarantine file.
    """
    found: dict[int, Listed] = {}
    missing: list[Listed] = []
    count = len(dataset)
    for listed in read_quarantine(path):
        if not _same(listed.dataset, name_of(dataset)):
            continue
        if listed.index is None or not 0 <= listed.index < count:
            missing.append(listed)
        else:
            found.setdefault(listed.index, listed)
    return found, missing


def compare(checked: Checked, listed: dict[int, Listed], missing: list[Listed]) -> None:
    """Note what became of the listed samples."""
    failed = {failure.index for failure in checked.failures}
    checked.fine = [listed[index] for index in sorted(listed) if index not in failed]
    checked.missing = missing


def _same(one: str, other: str) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)
