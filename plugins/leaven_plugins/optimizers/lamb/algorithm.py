"""The algorithm of LAMB, as an optimizer of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

_MOST = 10.0  # of a weight tensor's norm that counts


class LambOptimizer(Optimizer):
    """LAMB: Adam whose step is scaled, for each weight tensor, by the norm of the weights over that of the step.

    From Y. You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", ICLR 2020: without
    correction of the bias of the running means, and with the norm of the weights clipped to 10. Where a norm is 0, the
    step is taken as it is. Nothing waits for the device.

    Args:
        params: weights or parameter groups.
        lr: learning rate.
        betas: decay of the running means of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: factor of the weights added to the step, before it is scaled.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make one step; return what ``closure`` returns, which is called first and computes the gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, weight.grad, group)
        return loss

    def _update(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["exp_avg"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        first, second = group["betas"]
        mean.lerp_(gradient, 1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        step = mean / square.sqrt().add_(group["eps"])
        step.add_(weight, alpha=group["weight_decay"])
        weight.sub_(step.mul_(_trust(weight, step)), alpha=group["lr"])


def _trust(weight: Tensor, step: Tensor) -> Tensor:
    """Return the factor of a step, a tensor without axes."""
    of_weight, of_step = weight.norm().clamp(max=_MOST), step.norm()
    is_defined = (of_weight > 0) & (of_step > 0)
    return torch.where(is_defined, of_weight / of_step, torch.ones_like(of_weight))
