"""Plugin: values that change at steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.schedules.policy import Dec as Dec
    from leaven_plugins.policies.schedules.policy import LinDec as LinDec
    from leaven_plugins.policies.schedules.policy import Updates as Updates


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:dec``, ``policy:lindec`` and ``policy:updates``."""
    yield Component("dec", "leaven_plugins.policies.schedules.policy:Dec", "times a factor every 1000 steps")
    yield Component(
        "lindec", "leaven_plugins.policies.schedules.policy:LinDec", "a straight line down to 0, every 1000 steps"
    )
    yield Component("updates", "leaven_plugins.policies.schedules.policy:Updates", "given values from given steps on")


_CLASSES = ("Dec", "LinDec", "Updates")


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        from leaven_plugins.policies.schedules import policy

        return getattr(policy, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
