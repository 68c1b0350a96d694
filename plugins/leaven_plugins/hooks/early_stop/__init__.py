"""Plugin: the end of a run that does not get better."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.hooks.early_stop.hook import EarlyStop as EarlyStop


@hookimpl
def leaven_hooks() -> Iterable[Component]:
    """Declare ``hook:early_stop``."""
    yield Component(
        "early_stop", "leaven_plugins.hooks.early_stop.hook:EarlyStop", "ends a run that does not get better"
    )


def __getattr__(name: str) -> Any:
    if name == "EarlyStop":
        from leaven_plugins.hooks.early_stop.hook import EarlyStop

        return EarlyStop
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
