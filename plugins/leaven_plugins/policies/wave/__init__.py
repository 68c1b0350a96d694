"""Plugin: a dampened triangle wave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.wave.policy import Wave as Wave


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:wave``."""
    yield Component(
        "wave", "leaven_plugins.policies.wave.policy:Wave", "between half of the base value and all of it, dampened"
    )


def __getattr__(name: str) -> Any:
    if name == "Wave":
        from leaven_plugins.policies.wave.policy import Wave

        return Wave
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
