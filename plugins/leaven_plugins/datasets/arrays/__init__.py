"""Plugin: arrays of equal length, or anything that is indexed like one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.arrays.dataset import ArraysDataset as ArraysDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:arrays``."""
    yield Component(
        "arrays",
        "leaven_plugins.datasets.arrays.dataset:ArraysDataset",
        "arrays of equal length, or anything that is indexed like one",
    )


def __getattr__(name: str) -> Any:
    if name == "ArraysDataset":
        from leaven_plugins.datasets.arrays.dataset import ArraysDataset

        return ArraysDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
