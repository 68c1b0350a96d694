"""Plugin: modules of any package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.wrapped.model import Wrapped as Wrapped


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:wrapped``."""
    yield Component(
        "wrapped",
        "leaven_plugins.models.wrapped.model:Wrapped",
        "any module, named as package.module:attribute",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Wrapped":
        from leaven_plugins.models.wrapped.model import Wrapped

        return Wrapped
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
