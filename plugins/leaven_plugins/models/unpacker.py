"""Unpacker: a module that takes a tensor, as a model that takes a sample."""

from __future__ import annotations

from typing import Any

from torch import nn


class Unpacker(nn.Module):
    """Hands one tensor of a sample to a module, and adds what comes back to the sample.

    Integers become floats of the same numbers: pixels stay 0 to 255. See ``model:wrapped`` for pixels of unit range.

    Args:
        module: takes a float32 tensor.
        input_key: key of the tensor.
        output_key: key of the module's output.
    """

    def __init__(self, module: nn.Module, input_key: str = "image", output_key: str = "output") -> None:
        super().__init__()
        self.module = module
        self.input_key = input_key
        self.output_key = output_key

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with the module's output added."""
        return {**sample, self.output_key: self.module(sample[self.input_key].float())}
