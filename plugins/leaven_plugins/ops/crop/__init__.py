"""Plugin: parts of an image, in other sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.crop.op import CenterCrop as CenterCrop
    from leaven_plugins.ops.crop.op import RandomCrop as RandomCrop
    from leaven_plugins.ops.crop.op import RandomResizedCrop as RandomResizedCrop

_ROOM = "leaven_plugins.ops.crop.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:random_resized_crop``, ``op:random_crop`` and ``op:center_crop``."""
    yield Component("random_resized_crop", f"{_ROOM}:RandomResizedCrop", "a part of drawn area and aspect, resized")
    yield Component("random_crop", f"{_ROOM}:RandomCrop", "a part of fixed size at a drawn place")
    yield Component("center_crop", f"{_ROOM}:CenterCrop", "the middle, of fixed size")


def __getattr__(name: str) -> Any:
    if name in ("CenterCrop", "RandomCrop", "RandomResizedCrop"):
        from leaven_plugins.ops.crop import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
