"""Precision: the numbers in which the network computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from leaven.errors import ParameterError, suggestion

PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Runs forward passes in mixed precision, and scales the loss where gradients would vanish otherwise.

    Weights and optimizer stay in float32 (Micikevicius et al., "Mixed precision training", ICLR 2018).

    Args:
        name: ``float32``, ``bf16`` or ``fp16``; the last one needs the scaling.
        device: where the network is.

    Raises:
        ParameterError: there is no such precision.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name not in PRECISIONS:
            hint = suggestion(name, PRECISIONS) or f"; expected one of {', '.join(PRECISIONS)}"
            raise ParameterError(f"no precision {name!r}{hint}")
        self._dtype = PRECISIONS[name]
        self._device = device
        self._scaler = torch.amp.GradScaler(device.type) if name == "fp16" else None

    @property
    def is_scaled(self) -> bool:
        """Whether losses are scaled, so that gradients may overflow where nothing is wrong."""
        return self._scaler is not None

    def forward(self) -> AbstractContextManager[Any]:
        """Return what to run network and loss in."""
        if self._dtype is None:
            return nullcontext()
        return torch.autocast(self._device.type, self._dtype)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss to those that are there."""
        torch.autograd.backward(loss if self._scaler is None else self._scaler.scale(loss))

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Give the gradients their true size; once between two steps, and before they are looked at."""
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Let the optimizer make its step; with ``fp16`` it is left out where a gradient overflowed."""
        if self._scaler is None:
            optimizer.step()
        else:
            self._scaler.step(optimizer)
            self._scaler.update()

    def abandon(self) -> None:
        """Forget gradients that were unscaled, and are not used."""
        if self._scaler is not None:
            self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and its history; nothing where nothing is scaled."""
        return {} if self._scaler is None else self._scaler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with a scale."""
        if self._scaler is not None and state:
            self._scaler.load_state_dict(dict(state))


def device_of(parameters: Iterable[Tensor]) -> torch.device:
    """Return where the first of some tensors is; the CPU where there is none."""
    first = next(iter(parameters), None)
    return torch.device("cpu") if first is None else first.device
