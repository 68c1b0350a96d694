"""Plugin: a fully connected network for small images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.tiny_mlp.model import TinyMLP as TinyMLP


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:tiny_mlp``."""
    yield Component(
        "tiny_mlp",
        "leaven_plugins.models.tiny_mlp.model:TinyMLP",
        "one hidden layer, for small images",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "TinyMLP":
        from leaven_plugins.models.tiny_mlp.model import TinyMLP

        return TinyMLP
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
