"""TorchFeed: the arrays of a batch as tensors on one device."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError


class TorchFeed:
    """Turns numeric arrays into tensors of the same shape and dtype; everything else passes as it is.

    On the CPU a tensor shares the array's memory and keeps it alive. For a CUDA device the array is copied once into
    pinned memory, from where the device fetches it; the batch's slot is free at once.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ...
        non_blocking: do not wait until a CUDA device has fetched the data; work queued on the device does.

    Raises:
        ParameterError: ``device`` is not a device.
        LeavenError: a CUDA device was asked for and there is none.
    """

    def __init__(self, device: str = "cpu", non_blocking: bool = True) -> None:
        try:
            self.device = torch.device(device)
        except (RuntimeError, TypeError) as error:
            raise ParameterError(f"feed torch: device {device!r}: expected 'cpu', 'cuda' or 'cuda:NUMBER'") from error
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise LeavenError(f"feed torch: device {device!r}: torch sees no CUDA device here; use 'cpu'")
        self.non_blocking = non_blocking

    def __call__(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with tensors in place of numeric arrays."""
        return {key: self._handed(value) for key, value in sample.items()}

    def _handed(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufc":
            return value
        tensor = torch.from_numpy(_shareable(value))
        if self.device.type == "cpu":
            return tensor
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=self.non_blocking)


def _shareable(array: NDArray[Any]) -> NDArray[Any]:
    """Return ``array``, or a copy where torch cannot share its memory."""
    if not array.dtype.isnative:
        return array.astype(array.dtype.newbyteorder("="))
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        return array.copy()
    return array
