"""Plugin: samples in the order of the dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.sequential.sampler import Sequential as Sequential


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:sequential``."""
    yield Component(
        "sequential", "leaven_plugins.samplers.sequential.sampler:Sequential", "samples as they come in the dataset"
    )


def __getattr__(name: str) -> Any:
    if name == "Sequential":
        from leaven_plugins.samplers.sequential.sampler import Sequential

        return Sequential
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
