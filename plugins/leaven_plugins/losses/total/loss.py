"""Total: several losses as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Loss


@dataclass(frozen=True)
class Total:
    """``sum(weight * loss)``.

    Args:
        losses: each returns a scalar.
        weights: one number for each of them; ``None`` for 1 each.

    Attributes:
        parts: what each loss was at the last call, without its weight, detached; empty before the first. So a hook can
            log them.

    Raises:
        ParameterError: there is no loss, or there are not as many weights as losses.
    """

    losses: Sequence[Loss]
    weights: Sequence[float] | None = None
    parts: list[Tensor] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.losses:
            raise ParameterError("total: losses is empty; give one loss or more")
        if self.weights is not None and len(self.weights) != len(self.losses):
            raise ParameterError(f"total: {len(self.weights)} weights for {len(self.losses)} losses")

    def __call__(self, sample: dict[str, Any]) -> Tensor:
        """Return the loss, a scalar.

        Raises:
            LeavenError: a loss is not a scalar.
        """
        values = [_scalar(loss(sample), loss) for loss in self.losses]
        self.parts[:] = [value.detach() for value in values]
        weights = self.weights or [1.0] * len(values)
        first, *others = (weight * value for weight, value in zip(weights, values, strict=True))
        return sum(others, start=first)


def _scalar(value: Tensor, loss: Loss) -> Tensor:
    if value.ndim:
        name, shape = type(loss).__name__, tuple(value.shape)
        raise LeavenError(f"total: {name} returned shape {shape} and no scalar; use reduction='mean'")
    return value
