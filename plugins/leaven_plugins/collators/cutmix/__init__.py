"""Plugin: pasted boxes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.collators.cutmix.collator import Cutmix as Cutmix


@hookimpl
def leaven_collators() -> Iterable[Component]:
    """Declare ``collator:cutmix``."""
    yield Component(
        "cutmix",
        "leaven_plugins.collators.cutmix.collator:Cutmix",
        "pastes a box of one sample into another, and mixes their labels",
    )


def __getattr__(name: str) -> Any:
    if name == "Cutmix":
        from leaven_plugins.collators.cutmix.collator import Cutmix

        return Cutmix
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
