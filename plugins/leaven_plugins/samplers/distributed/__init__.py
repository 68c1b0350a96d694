"""Plugin: the share of one of several processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.distributed.sampler import Distributed as Distributed


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:distributed``."""
    yield Component(
        "distributed",
        "leaven_plugins.samplers.distributed.sampler:Distributed",
        "the share of one of several processes",
    )


def __getattr__(name: str) -> Any:
    if name == "Distributed":
        from leaven_plugins.samplers.distributed.sampler import Distributed

        return Distributed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
