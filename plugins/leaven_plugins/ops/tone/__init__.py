"""Plugin: brightness, colour and contrast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.tone.op import Tone as Tone


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:tone``."""
    yield Component("tone", "leaven_plugins.ops.tone.op:Tone", "brightness, colour and contrast by one lookup table")


def __getattr__(name: str) -> Any:
    if name == "Tone":
        from leaven_plugins.ops.tone.op import Tone

        return Tone
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
