"""Plugin: fewer frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.sampling.op import Sampling as Sampling


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:sampling``."""
    yield Component(
        "sampling", "leaven_plugins.ops.sampling.op:Sampling", "every so-many-th frame, beginning at a drawn phase"
    )


def __getattr__(name: str) -> Any:
    if name == "Sampling":
        from leaven_plugins.ops.sampling.op import Sampling

        return Sampling
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
