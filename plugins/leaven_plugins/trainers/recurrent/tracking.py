"""Tracking: how the error grows along sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError
from leaven_plugins.trainers.recurrent.sequences import PLACES
from leaven_plugins.trainers.recurrent.steps import flattened


class TrackingError:
    """The mean distance between output and target at each step of the sequences: ``error_1``, ``error_2``, ...

    The distance is Euclidean, over everything behind the axis of time. Only steps that count do.

    Args:
        input_key: key of the input ``(rows, steps, ...)``.
        output_key: key of the output, floats ``(rows, steps, ...)``.
        target_key: key of the target, of the same shape.
    """

    def __init__(self, input_key: str, output_key: str, target_key: str) -> None:
        self._keys = (input_key, output_key, target_key)
        self.reset()

    def update(self, sample: Mapping[str, Any]) -> None:
        """Take in one chunk.

        Raises:
            LeavenError: output and target differ in shape.
        """
        input_key, *keys = self._keys
        rows = flattened({key: sample[key] for key in (PLACES, input_key, *keys)}, input_key)
        output, target = (rows[key].detach() for key in keys)
        if output.shape != target.shape:
            shapes = f"{tuple(sample[keys[0]].shape)} and {tuple(sample[keys[1]].shape)}"
            raise LeavenError(f"tracking: {keys[0]!r} and {keys[1]!r} have different shapes: {shapes}")
        distances = (output.double() - target.double()).flatten(1).norm(dim=1)
        self._add(distances, sample[PLACES][:, 1])

    def compute(self) -> dict[str, float]:
        """Return the mean error of each step that was seen; this waits for the device."""
        if self._sums is None:
            return {}
        sums, counts = self._sums.tolist(), self._counts.tolist()
        return {f"error_{n}": s / c for n, (s, c) in enumerate(zip(sums, counts, strict=True), 1) if c}

    def reset(self) -> None:
        """Forget everything."""
        self._sums: Tensor | None = None
        self._counts = torch.zeros(0, dtype=torch.int64)

    def merge(self, other: Any) -> None:
        """Take in what another one has seen."""
        if other._sums is not None:
            self._widen(len(other._counts), other._sums.device)
            assert self._sums is not None
            self._sums[: len(other._counts)] += other._sums.to(self._sums.device)
            self._counts[: len(other._counts)] += other._counts

    def state_dict(self) -> dict[str, Any]:
        """Return the sums of the errors and their numbers, by step, on the CPU."""
        sums = torch.zeros(0, dtype=torch.float64) if self._sums is None else self._sums.cpu()
        return {"sums": sums.clone(), "counts": self._counts.clone()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._sums = state["sums"].clone() if len(state["sums"]) else None
        self._counts = state["counts"].clone()

    def _add(self, distances: Tensor, steps: Tensor) -> None:
        self._widen(int(steps.max()) + 1, distances.device)
        assert self._sums is not None
        self._sums.index_add_(0, steps.to(distances.device, non_blocking=True), distances)
        self._counts += torch.bincount(steps, minlength=len(self._counts))

    def _widen(self, steps: int, device: torch.device) -> None:
        sums = torch.zeros(0, dtype=torch.float64, device=device) if self._sums is None else self._sums.to(device)
        more = max(0, steps - len(self._counts))
        self._sums = torch.cat([sums, sums.new_zeros(more)])
        self._counts = torch.cat([self._counts, self._counts.new_zeros(more)])
