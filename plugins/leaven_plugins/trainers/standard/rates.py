"""Rates: what policies make of learning rates and other values before each step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

from leaven.protocols import Policy
from leaven_plugins.policies.schedule import bind

_RATES = ("lr", "base_lr")


class Progress(NamedTuple):
    """How far a run is: epochs and steps done, and how many there will be (infinity where that is not known).

    ``epochs`` is a fraction, with the iteration under way; ``steps`` are those before the one under way.
    """

    epochs: float
    num_epochs: float
    steps: int
    num_steps: float = math.inf


class Rates:
    """Sets the learning rates of an optimizer's groups, and whatever else there is a schedule for.

    A rate is what ``train_policy`` makes, before each step, of what ``val_policy`` made, after the last validation, of
    the group's ``initial_lr``.

    Args:
        optimizer: whose groups get the rates.
        train_policy: asked before every step.
        val_policy: told the loss after each validation, then asked.
        schedules: policies by the name of the property.
        targets: what may have the properties, see :func:`~leaven_plugins.policies.schedule.bind`.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        train_policy: Policy | None,
        val_policy: Policy | None,
        schedules: Mapping[str, Any],
        targets: Sequence[Any],
    ) -> None:
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self._optimizer = optimizer
        self._train_policy = train_policy
        self._val_policy = val_policy
        self._schedules = bind(schedules, targets)

    def set(self, progress: Progress) -> None:
        """Set all values for the step that comes."""
        if self._train_policy is not None:
            for group in self._optimizer.param_groups:
                base = group.get("base_lr", group["initial_lr"])  # kept in the group, so that snapshots have it
                group["lr"] = value_of(self._train_policy, base, progress)
        for schedule in self._schedules:
            schedule.apply(*progress)

    def validated(self, loss: float, progress: Progress) -> None:
        """Let the validation's policy set the rates, after a validation that gave this loss."""
        policy = self._val_policy
        if policy is None:
            return
        if hasattr(policy, "observe"):
            policy.observe(loss, progress.epochs)
        for group in self._optimizer.param_groups:
            group["lr"] = group["base_lr"] = value_of(policy, group["initial_lr"], progress)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the rates while the optimizer gets an earlier state: policies do not go back."""
        rates = [{key: group[key] for key in _RATES if key in group} for group in self._optimizer.param_groups]
        yield
        for group, own in zip(self._optimizer.param_groups, rates, strict=True):
            group.update(own)


def value_of(policy: Policy, base: float, progress: Progress) -> float:
    """Return what a policy makes of a value: by epochs, or by steps where its ``unit`` says so."""
    if getattr(policy, "unit", "epoch") == "step":
        return policy.value(base, progress.steps, progress.num_steps)
    return policy.value(base, progress.epochs, progress.num_epochs)
