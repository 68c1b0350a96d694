"""Plugin: samples in an order of chance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.shuffle.sampler import Shuffle as Shuffle


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:shuffle``."""
    yield Component("shuffle", "leaven_plugins.samplers.shuffle.sampler:Shuffle", "a new order for each pass")


def __getattr__(name: str) -> Any:
    if name == "Shuffle":
        from leaven_plugins.samplers.shuffle.sampler import Shuffle

        return Shuffle
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
