"""Plugin: less where nothing gets better."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.plateau.policy import Plateau as Plateau


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:plateau``."""
    yield Component(
        "plateau",
        "leaven_plugins.policies.plateau.policy:Plateau",
        "times a factor, when a measured value has not become better for a while",
    )


def __getattr__(name: str) -> Any:
    if name == "Plateau":
        from leaven_plugins.policies.plateau.policy import Plateau

        return Plateau
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
