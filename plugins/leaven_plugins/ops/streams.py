"""Stream: how one of several parallel streams of images differs from the others under the same draw."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from leaven.errors import ParameterError
from leaven_plugins.ops.chance.op import Nothing


@dataclass(frozen=True)
class Stream:
    """How a stream is treated; the default is as an image. ``Stream.mask()`` is for masks.

    Args:
        pixels: whether ops are done that change values; those that move pixels (they have an attribute ``geometric``
            that is true) are done in any case.
        interpolation: number or name of the method that takes the place of the ops' own.
        background: value outside of the image that takes the place of the ops' own.
        scale: how many times as large as the first stream's the images are; sizes and margins in pixels are multiplied.

    Raises:
        ParameterError: ``scale`` is not positive.
    """

    pixels: bool = True
    interpolation: int | str | None = None
    background: Any = None
    scale: float = 1

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ParameterError(f"scale is {self.scale!r}; it has to be positive")

    @classmethod
    def mask(cls, background: Any = 0, scale: float = 1) -> Stream:
        """Return how masks are treated: moved by the nearest pixel's method, and nothing else."""
        return cls(False, "nearest", background, scale)

    def adapted(self, op: Any) -> Any:
        """Return what is done to this stream where ``op`` is done to images."""
        if hasattr(op, "with_parts"):
            return op.with_parts(self.adapted)
        if not self.pixels and not getattr(op, "geometric", False):
            return Nothing()
        if self.scale != 1 and hasattr(op, "scaled"):
            op = op.scaled(self.scale)
        return self._with_own_fields(op)

    def _with_own_fields(self, op: Any) -> Any:
        names = {field.name for field in fields(op)} if is_dataclass(op) else set()
        own = {name: getattr(self, name) for name in ("interpolation", "background")}
        changed = {name: value for name, value in own.items() if value is not None and name in names}
        return replace(op, **changed) if changed else op
