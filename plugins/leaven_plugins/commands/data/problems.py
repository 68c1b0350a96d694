"""What datasets have to say about their files: those at the bottom, whatever views are over them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from leaven.errors import LeavenError

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven_plugins.datasets.findings import Finding


def problems_of(dataset: Dataset) -> list[Finding]:
    """Return what a dataset, or those that it is over, know to be wrong with their files; each thing once."""
    problems = getattr(dataset, "problems", None)
    if problems is not None:
        return list(problems())
    inner = below(dataset)
    if inner:
        with suppress(LeavenError):  # which is told later on
            len(dataset)  # files that have an address are fetched first
    return list(dict.fromkeys(found for one in inner for found in problems_of(one)))


def below(dataset: Dataset) -> list[Any]:
    """Return the datasets that a view, or a combination of several, is over."""
    held = getattr(dataset, "__dict__", {})
    return [held["dataset"]] if "dataset" in held else list(held.get("datasets", ()))
