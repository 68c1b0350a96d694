"""Unrolled: a network of single steps, as one of sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

Sample = dict[str, Any]


class Unrolled(nn.Module):
    """Calls a network for one step after the other.

    Args:
        network: takes and returns sample dicts of one step: the input ``(rows, ...)`` and the state, ``None`` at first;
            it gives back the output ``(rows, ...)`` and the new state.
        input_key: key of the input.
        output_key: key of the output.
        state_key: key of the state.
    """

    def __init__(
        self, network: nn.Module, input_key: str = "image", output_key: str = "output", state_key: str = "state"
    ) -> None:
        super().__init__()
        self.network = network
        self.input_key = input_key
        self.output_key = output_key
        self.state_key = state_key

    def forward(self, sample: Sample) -> Sample:
        """Return the sample with outputs ``(rows, steps, ...)`` and the last state."""
        state, outputs = sample.get(self.state_key), []
        for step in sample[self.input_key].unbind(1):
            made = self.network({self.input_key: step, self.state_key: state})
            state = made[self.state_key]
            outputs.append(made[self.output_key])
        return {**sample, self.output_key: torch.stack(outputs, 1), self.state_key: state}
