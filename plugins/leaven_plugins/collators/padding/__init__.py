"""Plugin: sequences of one length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.collators.padding.collator import Padding as Padding


@hookimpl
def leaven_collators() -> Iterable[Component]:
    """Declare ``collator:padding``."""
    yield Component(
        "padding", "leaven_plugins.collators.padding.collator:Padding", "pads sequences to the longest one, with a mask"
    )


def __getattr__(name: str) -> Any:
    if name == "Padding":
        from leaven_plugins.collators.padding.collator import Padding

        return Padding
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
