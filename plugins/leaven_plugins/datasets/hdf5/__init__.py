"""Plugin: columns of an HDF5 file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.hdf5.dataset import Hdf5Dataset as Hdf5Dataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:hdf5``."""
    yield Component(
        "hdf5",
        "leaven_plugins.datasets.hdf5.dataset:Hdf5Dataset",
        "columns of an HDF5 file",
        extra="leaven[hdf5]",
    )


def __getattr__(name: str) -> Any:
    if name == "Hdf5Dataset":
        from leaven_plugins.datasets.hdf5.dataset import Hdf5Dataset

        return Hdf5Dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
