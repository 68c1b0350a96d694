"""Plugin: each sample several times in a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.repeated.sampler import Repeated as Repeated


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:repeated``."""
    yield Component(
        "repeated",
        "leaven_plugins.samplers.repeated.sampler:Repeated",
        "each sample several times in a row",
    )


def __getattr__(name: str) -> Any:
    if name == "Repeated":
        from leaven_plugins.samplers.repeated.sampler import Repeated

        return Repeated
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
