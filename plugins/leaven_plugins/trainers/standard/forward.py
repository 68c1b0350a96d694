"""Forward: from a sample to its output, loss and measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError
from leaven.protocols import Loss
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.precision import Precision

Sample = dict[str, Any]


class Forward:
    """Sends samples through a network.

    Args:
        precision: in which network and loss compute.
    """

    def __init__(self, precision: Precision) -> None:
        self._precision = precision

    def __call__(
        self, network: Callable[[Sample], Sample], sample: Sample, loss: Loss, metric: Measures
    ) -> tuple[Sample, Tensor]:
        """Return the output sample and its loss; the metric has seen it.

        Raises:
            LeavenError: the sample lacks a key, or the loss is no scalar.
        """
        try:
            with self._precision.forward():
                output = network(sample)
                value: Tensor = loss(output)
            with torch.no_grad():
                metric.update(output)
        except KeyError as error:
            have = ", ".join(map(str, sample))
            raise LeavenError(f"network, loss or metric asks for a key {error}; the sample has: {have}") from error
        if value.ndim:
            raise LeavenError(f"the loss must be a scalar, not of shape {tuple(value.shape)}; use reduction='mean'")
        return output, value


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Have a network in evaluation mode for a time; then each of its modules is in its own mode again."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
