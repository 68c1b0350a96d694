"""Example: what a network follows step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Example(Protocol):
    """A trace, such as a neurite in a volume: samples that depend on what the network said of those before.

    Samples are dicts of one row without its axis: arrays, tensors and numbers become ``(rows, ...)``, everything else a
    list. Those of all examples have the same keys and shapes. For a snapshot amid a trace to be gone on with, there are
    ``state_dict()``, of tensors and plain data, and ``load_state_dict(state)``.
    """

    def start(self) -> Mapping[str, Any]:
        """Return the first sample."""

    def is_on_track(self, output: Tensor) -> bool:
        """Return whether the output leads on along the trace.

        Args:
            output: that of the last sample, its row alone, on the CPU; floats are float32 at least.
        """

    def follow(self, output: Tensor) -> Mapping[str, Any] | None:
        """Go where the output leads; return the sample there, ``None`` at the end of the trace."""
