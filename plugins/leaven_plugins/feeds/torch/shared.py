"""shared_tensor: tensors in memory that other processes can map, and that a CUDA device can read from directly."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch

from leaven.errors import LeavenError, ParameterError
from leaven.stream.shared import Memory, memory_of, shared_array
from leaven_plugins.feeds.torch.locking import lock


def shared_tensor(
    shape: int | Sequence[int], dtype: torch.dtype = torch.float32, pinned: bool | None = None
) -> torch.Tensor:
    """Return a tensor of zeros on the CPU that other processes can share.

    ``descriptor_of(tensor.numpy())`` is what they attach by; tensors of dtypes that numpy has not are handed over as
    ``tensor.view(torch.uint8)``.

    Args:
        shape: of the tensor.
        dtype: of its values.
        pinned: lock its pages for CUDA, so that copies to a device need not be waited for; ``None``: where torch sees a
            device. It is unlocked when the last view of it dies.

    Raises:
        ParameterError: ``shape`` has a negative size.
        WorkerError: there is not enough memory.
        LeavenError: it cannot be pinned.
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(size < 0 for size in sizes):
        raise ParameterError(f"shared tensor of shape {sizes}: negative size")
    available = torch.cuda.is_available()
    if pinned and not available:
        raise LeavenError("shared_tensor: pinned=True: torch sees no CUDA device here; use pinned=None")
    array = shared_array(prod(sizes) * dtype.itemsize, "uint8")
    if available if pinned is None else pinned:
        _pin(memory_of(array))
    return torch.from_numpy(array).view(dtype).reshape(sizes)


def _pin(memory: Memory) -> None:
    failed = lock(memory, memory.address)
    if failed:
        raise LeavenError(f"shared_tensor: CUDA cannot lock {len(memory) / 1e6:.1f} MB of memory (error {failed})")
