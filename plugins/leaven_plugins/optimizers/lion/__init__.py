"""Plugin: Lion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.optimizers.lion.optimizer import Lion as Lion


@hookimpl
def leaven_optimizers() -> Iterable[Component]:
    """Declare ``optimizer:lion``."""
    yield Component(
        "lion",
        "leaven_plugins.optimizers.lion.optimizer:Lion",
        "steps by the sign of an interpolated momentum",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Lion":
        from leaven_plugins.optimizers.lion.optimizer import Lion

        return Lion
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
