"""Plugin: a folder of images, one sub-folder for each class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.folder.dataset import FolderDataset as FolderDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:folder``."""
    yield Component(
        "folder", "leaven_plugins.datasets.folder.dataset:FolderDataset", "images in folders named after their class"
    )


def __getattr__(name: str) -> Any:
    if name == "FolderDataset":
        from leaven_plugins.datasets.folder.dataset import FolderDataset

        return FolderDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
