"""Plugin: images within a zip file, in folders named after their class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.zip.dataset import ZipDataset as ZipDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:zip``."""
    yield Component(
        "zip",
        "leaven_plugins.datasets.zip.dataset:ZipDataset",
        "images within a zip file, in folders named after their class",
    )


def __getattr__(name: str) -> Any:
    if name == "ZipDataset":
        from leaven_plugins.datasets.zip.dataset import ZipDataset

        return ZipDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
