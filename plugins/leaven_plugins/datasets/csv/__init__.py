"""Plugin: rows of a table, with the files or values that they name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.csv.dataset import CsvDataset as CsvDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:csv``."""
    yield Component(
        "csv",
        "leaven_plugins.datasets.csv.dataset:CsvDataset",
        "rows of a table, with the files or values that they name",
    )


def __getattr__(name: str) -> Any:
    if name == "CsvDataset":
        from leaven_plugins.datasets.csv.dataset import CsvDataset

        return CsvDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
