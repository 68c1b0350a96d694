"""Plugin: arrays of numpy in one file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.npz.dataset import NpzDataset as NpzDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:npz``."""
    yield Component("npz", "leaven_plugins.datasets.npz.dataset:NpzDataset", "arrays of numpy in one file")


def __getattr__(name: str) -> Any:
    if name == "NpzDataset":
        from leaven_plugins.datasets.npz.dataset import NpzDataset

        return NpzDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
