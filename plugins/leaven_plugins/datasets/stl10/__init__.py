"""Plugin: pictures of 10 classes, 96 x 96, and many without a label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.stl10.dataset import Stl10 as Stl10


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:stl10``."""
    yield Component(
        "stl10",
        "leaven_plugins.datasets.stl10.dataset:Stl10",
        "pictures of 10 classes, 96 x 96, and many without a label",
    )


def __getattr__(name: str) -> Any:
    if name == "Stl10":
        from leaven_plugins.datasets.stl10.dataset import Stl10

        return Stl10
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
