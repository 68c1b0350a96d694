"""The algorithm of Lion, as an optimizer of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class LionOptimizer(Optimizer):
    """Lion: steps by the sign of what lies between momentum and gradient, all of the length of the learning rate.

    From X. Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023. The state of a weight is one
    tensor ``exp_avg``, half of what Adam keeps.

    Args:
        params: weights or parameter groups.
        lr: learning rate.
        betas: share of the momentum in the step, and decay of the momentum.
        weight_decay: share of the weights taken off per step, times the learning rate.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

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
        lr, (share, decay) = group["lr"], group["betas"]
        state = self.state[weight]
        if not state:
            state["exp_avg"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        momentum = state["exp_avg"]
        direction = momentum.lerp(gradient, 1 - share).sign_()
        weight.mul_(1 - lr * group["weight_decay"]).add_(direction, alpha=-lr)
        momentum.lerp_(gradient, 1 - decay)
