"""Plugin: a value that stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.noop.policy import Noop as Noop


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:noop``."""
    yield Component("noop", "leaven_plugins.policies.noop.policy:Noop", "the base value, throughout")


def __getattr__(name: str) -> Any:
    if name == "Noop":
        from leaven_plugins.policies.noop.policy import Noop

        return Noop
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
