"""Plugin: mixup or cutmix, by chance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.collators.mix.collator import Mix as Mix


@hookimpl
def leaven_collators() -> Iterable[Component]:
    """Declare ``collator:mix``."""
    yield Component(
        "mix",
        "leaven_plugins.collators.mix.collator:Mix",
        "blends samples or pastes boxes, each with a probability, and mixes their labels",
    )


def __getattr__(name: str) -> Any:
    if name == "Mix":
        from leaven_plugins.collators.mix.collator import Mix

        return Mix
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
