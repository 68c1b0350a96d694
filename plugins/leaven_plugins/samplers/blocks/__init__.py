"""Plugin: neighbouring samples near each other, in an order of chance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.blocks.sampler import Blocks as Blocks


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:blocks``."""
    yield Component(
        "blocks",
        "leaven_plugins.samplers.blocks.sampler:Blocks",
        "a new order for each pass, which reads neighbours together",
    )


def __getattr__(name: str) -> Any:
    if name == "Blocks":
        from leaven_plugins.samplers.blocks.sampler import Blocks

        return Blocks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
