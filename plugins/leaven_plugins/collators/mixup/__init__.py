"""Plugin: blended samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.collators.mixup.collator import Mixup as Mixup


@hookimpl
def leaven_collators() -> Iterable[Component]:
    """Declare ``collator:mixup``."""
    yield Component("mixup", "leaven_plugins.collators.mixup.collator:Mixup", "blends samples and their labels")


def __getattr__(name: str) -> Any:
    if name == "Mixup":
        from leaven_plugins.collators.mixup.collator import Mixup

        return Mixup
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
