"""Plugin: a convolutional network for small images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.tiny_cnn.model import TinyCNN as TinyCNN


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:tiny_cnn``."""
    yield Component(
        "tiny_cnn",
        "leaven_plugins.models.tiny_cnn.model:TinyCNN",
        "three convolutions, for small images",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "TinyCNN":
        from leaven_plugins.models.tiny_cnn.model import TinyCNN

        return TinyCNN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
