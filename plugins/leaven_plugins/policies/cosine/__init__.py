"""Plugin: half a cosine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.cosine.policy import Cosine as Cosine


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:cosine``."""
    yield Component("cosine", "leaven_plugins.policies.cosine.policy:Cosine", "half a cosine from the base value down")


def __getattr__(name: str) -> Any:
    if name == "Cosine":
        from leaven_plugins.policies.cosine.policy import Cosine

        return Cosine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
