"""Plugin: normalised scanpath saliency, as a loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.nss.loss import NSS as NSS


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:nss``."""
    yield Component(
        "nss", "leaven_plugins.losses.nss.loss:NSS", "the negative normalised scanpath saliency", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "NSS":
        from leaven_plugins.losses.nss.loss import NSS

        return NSS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
