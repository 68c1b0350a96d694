"""Plugin: ops by chance, or none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.chance.op import Nothing as Nothing
    from leaven_plugins.ops.chance.op import OneOf as OneOf
    from leaven_plugins.ops.chance.op import Sometimes as Sometimes

_ROOM = "leaven_plugins.ops.chance.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:sometimes``, ``op:one_of`` and ``op:nothing``."""
    yield Component("sometimes", f"{_ROOM}:Sometimes", "an op, with a probability")
    yield Component("one_of", f"{_ROOM}:OneOf", "one of several ops")
    yield Component("nothing", f"{_ROOM}:Nothing", "nothing")


def __getattr__(name: str) -> Any:
    if name in ("Nothing", "OneOf", "Sometimes"):
        from leaven_plugins.ops.chance import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
