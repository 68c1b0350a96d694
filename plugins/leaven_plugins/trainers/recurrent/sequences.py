"""Sequences: samples with an axis of time, padded to one length and on one device, and parts of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from leaven.errors import LeavenError
from leaven_plugins.trainers.standard.validity import MASK

Sample = dict[str, Any]
PLACES = "step_places"


class Sequences:
    """A batch of sequences.

    Tensors and arrays that begin with ``(rows, steps)`` have an axis of time, and so have lists of one tensor or array
    ``(steps, ...)`` for each row, which are padded with zeros at their ends.

    Args:
        sample: has sequences under ``input_key``.
        input_key: key of the sequences that say how many rows and steps there are.
        device: where what has an axis of time goes.
        max_length: steps after which sequences are cut off; 0 for no limit.

    Attributes:
        rows: number of rows.
        steps: number of steps of the longest.

    Raises:
        LeavenError: there are no sequences, or those of a row differ in length.
    """

    def __init__(self, sample: Mapping[str, Any], input_key: str, device: torch.device, max_length: int = 0) -> None:
        if input_key not in sample:
            raise LeavenError(f"no sequences {input_key!r}; the sample has: {', '.join(map(str, sample))}")
        lengths = _lengths(sample[input_key])
        self._sample = {key: _padded(key, value, lengths, device) for key, value in sample.items()}
        shape: tuple[int, ...] = getattr(self._sample[input_key], "shape", ())
        if len(shape) < 2 or 0 in shape[:2]:
            raise LeavenError(f"{input_key!r} is no batch of sequences (rows, steps, ...): {_shown(sample[input_key])}")
        self.rows, self._whole = int(shape[0]), int(shape[1])
        self.steps = min(self._whole, max_length) if max_length else self._whole
        self._counted = self._mask(f"{input_key}_mask", lengths)

    def part(self, start: int, stop: int) -> Sample:
        """Return the steps from ``start`` to before ``stop`` of all sequences.

        What comes first is ``step_places``, an int64 tensor ``(counted, 2)`` on the CPU: of each step that counts, its
        place among all of this part, row by row, and the how manieth of its sequence it is, from 0. The trainer weighs
        mini-batches by the length of what comes first.
        """
        rows, steps = np.nonzero(self._counted[:, start:stop])
        places = np.stack([rows * (stop - start) + steps, start + steps], 1)
        others = {key: value for key, value in self._sample.items() if key not in (PLACES, MASK)}
        sliced = {key: value[:, start:stop] if self._is_timed(value) else value for key, value in others.items()}
        return {PLACES: torch.from_numpy(places), **sliced}

    def _is_timed(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.shape[:2] == (self.rows, self._whole)

    def _mask(self, key: str, lengths: list[int] | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which steps count, and cut them off; a mask on a device is waited for, once for all parts."""
        counted = np.ones((self.rows, self._whole), bool)
        if lengths is not None:
            counted &= np.arange(self._whole) < np.array(lengths)[:, None]
        for name, shape in ((key, counted.shape), (MASK, counted.shape[:1])):
            given = self._sample.get(name)
            if given is None:
                continue
            given = given.cpu().numpy() if isinstance(given, Tensor) else np.asarray(given)
            if given.dtype != bool or given.shape != shape:
                raise LeavenError(f"{name!r}: expected bools of shape {shape}, not {given.dtype} of {given.shape}")
            counted &= given if given.ndim == 2 else given[:, None]
        return counted[:, : self.steps]


def _lengths(value: Any) -> list[int] | None:
    return [len(row) for row in value] if _is_ragged(value) else None


def _is_ragged(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(getattr(row, "ndim", 0) for row in value)


def _padded(key: str, value: Any, lengths: list[int] | None, device: torch.device) -> Any:
    if _is_ragged(value):
        own = [len(row) for row in value]
        if own != lengths:
            raise LeavenError(f"{key!r} has sequences of {own} steps, and the input {lengths or 'is no list of such'}")
        return pad_sequence([torch.as_tensor(row) for row in value], batch_first=True).to(device)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        value = torch.as_tensor(value)
    return value.to(device) if isinstance(value, Tensor) and value.ndim >= 2 else value


def _shown(value: Any) -> str:
    return f"of shape {tuple(value.shape)}" if hasattr(value, "shape") else f"a {type(value).__name__}"
