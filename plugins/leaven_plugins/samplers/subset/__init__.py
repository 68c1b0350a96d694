"""Plugin: some positions, in order or shuffled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.subset.sampler import Subset as Subset


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:subset``."""
    yield Component("subset", "leaven_plugins.samplers.subset.sampler:Subset", "some positions, in order or shuffled")


def __getattr__(name: str) -> Any:
    if name == "Subset":
        from leaven_plugins.samplers.subset.sampler import Subset

        return Subset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
