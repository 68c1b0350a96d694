"""Constants: numbers of a loss, such as the weights of classes, on the device that they are needed on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor


def constant(numbers: Sequence[float], like: Tensor) -> Tensor:
    """Return a tensor ``(numbers,)`` in the dtype and on the device of another one; not to be written to.

    It is made once for each device: a copy from the host would wait for a CUDA device in every step.
    """
    return _made(tuple(map(float, numbers)), like.dtype, like.device)


@lru_cache(maxsize=64)
def _made(numbers: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # made in a validation, it also serves the training that comes after
        return torch.tensor(numbers, dtype=dtype, device=device)
