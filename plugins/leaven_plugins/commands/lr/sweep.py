"""find_rate: a learning-rate range test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Loss
from leaven_plugins.commands.lr.found import Found, Watch, judged
from leaven_plugins.distributed.world import World
from leaven_plugins.snapshots.capture import random_state, set_random_state
from leaven_plugins.trainers.standard.batches import rows_of
from leaven_plugins.trainers.standard.trainer import Trainer

Sample = dict[str, Any]

_SKIPPED = 10
"""So many steps whose gradients are not finite are the end; ``fp16`` needs a few until its scale is right."""


def find_rate(
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    data: Iterable[Any],
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    options: Mapping[str, Any] | None = None,
) -> Found:
    """Train for a few steps at rates that rise from step to step, and see what the loss makes of it.

    Smith, "Cyclical learning rates for training neural networks" (WACV 2017). The test ends when the loss has become
    four times its lowest value. Afterwards weights, buffers, gradients, the optimizer's state, and the generators of
    torch, numpy and Python are what they were.

    Args:
        network: takes and returns sample dicts, already on its device.
        optimizer: over its weights. Where its groups have rates of their own, these rise along, in proportion.
        loss: scalar loss of an output sample.
        data: as for :class:`~leaven_plugins.trainers.standard.trainer.Trainer`; gone through again where it ends.
        low: the first rate.
        high: the last rate.
        steps: of the optimizer; at least 20.
        options: of the trainer: ``precision``, ``accumulate``, ``clip_norm``, ``clip_value``.

    Raises:
        ParameterError: a value is out of range.
        LeavenError: the data ends too early, and cannot be gone through again.
    """
    if not 0 < low < high < math.inf:
        raise ParameterError(f"rates from {low:g} to {high:g}: expected 0 < from < to")
    if steps < 20:
        raise ParameterError(f"{steps} steps: expected at least 20")
    policy, ear = Rising(low, high, steps, _rate_of(optimizer)), _Ear(steps)
    with _put_back_after(network, optimizer):
        for group in optimizer.param_groups:
            group.pop("base_lr", None)  # what a validation made of the rate
        trainer = Trainer(
            network,
            optimizer,
            loss,
            train_policy=policy,
            train_iter=_Again(data),
            max_steps=steps,
            nonfinite="skip",
            world=World(),
            **(options or {}),
        )
        ear.attach(trainer)
        trainer.train(1)
    if len(ear.losses) < steps and not ear.diverged:
        raise LeavenError(f"the data is enough for {len(ear.losses)} steps, and cannot be gone through again")
    return judged(policy.rates[: len(ear.losses)], ear.losses, steps, ear.diverged)


class Rising:
    """A policy: rates that rise by the same factor from step to step.

    Args:
        low: the first one.
        high: the last one.
        steps: how many.
        base: what the rates of parameter groups are proportional to.
    """

    unit = "step"

    def __init__(self, low: float, high: float, steps: int, base: float) -> None:
        self.rates: list[float] = [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]
        self._base = base

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the rate after so many steps of a group whose own rate is ``base``."""
        share = base / self._base if self._base else 1.0
        return share * self.rates[min(int(epoch), len(self.rates) - 1)]


class _Ear:
    """Hears the loss of each step, and stops the trainer where it diverges."""

    def __init__(self, steps: int) -> None:
        self.losses: list[float] = []
        self.diverged = False
        self._watch = Watch(steps)
        self._parts: list[Tensor] = []
        self._stop: Callable[[str], None] = lambda reason: None

    def attach(self, trainer: Trainer) -> None:
        self._stop = trainer.stop
        trainer.add_hook("train_forward", self._forward)
        trainer.add_hook("train_step", self._step)

    def _forward(self, state: Mapping[str, Any], metric: object, loss: Tensor, output: Sample) -> None:
        self._parts.append(loss)
        # waits for the device, which a test of a hundred steps may do
        if state["skipped"] > _SKIPPED or not math.isfinite(float(loss)):
            self._end()

    def _step(self, state: Mapping[str, Any], samples: Sequence[Sample]) -> None:
        parts, self._parts = self._parts[-len(samples) :], []
        if self.diverged:
            return
        rows = [rows_of(sample) for sample in samples]
        mean = sum(float(part) * count for part, count in zip(parts, rows, strict=True)) / sum(rows)
        self.losses.append(mean)
        if self._watch.diverges_at(mean):
            self._end()

    def _end(self) -> None:
        self.diverged = True
        self._stop("the loss has diverged")


class _Again:
    """Data that begins again where it ends, unless there is none."""

    def __init__(self, data: Iterable[Any]) -> None:
        self._data = data

    def __iter__(self) -> Iterator[Any]:
        some = True
        while some:
            some = False
            for item in self._data:
                some = True
                yield item


def _rate_of(optimizer: torch.optim.Optimizer) -> float:
    return float(optimizer.defaults.get("lr", optimizer.param_groups[0]["lr"]))


@contextmanager
def _put_back_after(network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    tensors = {name: tensor.detach().clone() for name, tensor in _tensors_of(network)}
    gradients = [(parameter, parameter.grad) for parameter in network.parameters()]
    modes = [(module, module.training) for module in network.modules()]
    state, chance = deepcopy(optimizer.state_dict()), random_state()
    try:
        yield
    finally:
        with torch.no_grad():
            for name, tensor in _tensors_of(network):
                tensor.copy_(tensors[name])
        for parameter, gradient in gradients:
            parameter.grad = gradient
        for module, training in modes:
            module.training = training
        optimizer.load_state_dict(state)
        set_random_state(chance)


def _tensors_of(network: torch.nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield weights and buffers, also those that a state dict leaves out."""
    yield from network.named_parameters()
    yield from network.named_buffers()
