"""Plugin: columns of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.parquet.dataset import ParquetDataset as ParquetDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:parquet``."""
    yield Component(
        "parquet",
        "leaven_plugins.datasets.parquet.dataset:ParquetDataset",
        "columns of a Parquet file",
        extra="leaven[parquet]",
    )


def __getattr__(name: str) -> Any:
    if name == "ParquetDataset":
        from leaven_plugins.datasets.parquet.dataset import ParquetDataset

        return ParquetDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
