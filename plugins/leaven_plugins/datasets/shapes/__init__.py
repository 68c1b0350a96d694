"""Plugin: pictures of coloured shapes, made up as they are read, with labels, masks and gaze points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.shapes.dataset import ShapesDataset as ShapesDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:shapes``."""
    yield Component(
        "shapes",
        "leaven_plugins.datasets.shapes.dataset:ShapesDataset",
        "made-up pictures of discs, squares and triangles, with labels, masks and gaze points",
    )


def __getattr__(name: str) -> Any:
    if name == "ShapesDataset":
        from leaven_plugins.datasets.shapes.dataset import ShapesDataset

        return ShapesDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
