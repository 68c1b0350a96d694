"""Plugin: a small fully convolutional network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.tiny_fcn.model import TinyFCN as TinyFCN


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:tiny_fcn``."""
    yield Component(
        "tiny_fcn",
        "leaven_plugins.models.tiny_fcn.model:TinyFCN",
        "a small network from images to maps of classes",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "TinyFCN":
        from leaven_plugins.models.tiny_fcn.model import TinyFCN

        return TinyFCN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
