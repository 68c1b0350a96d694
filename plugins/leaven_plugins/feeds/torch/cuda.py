"""CudaStreams: the side stream of one device, and memory that the device can read by itself."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from leaven_plugins.devices.tensors import tensor_of
from leaven_plugins.feeds.torch.locking import Locks


class CudaStreams:
    """What :class:`~leaven_plugins.feeds.torch.routes.SideStream` needs of CUDA, for one device."""

    def __init__(self, device: torch.device, locks: Locks) -> None:
        self._device = device
        self._side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._locks = locks

    def side(self) -> AbstractContextManager[Any]:
        """Return the context in which work is queued on the side stream."""
        return torch.cuda.stream(self._side)

    def mark(self) -> torch.cuda.Event:
        """Return an event of what is queued on the side stream by now."""
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(self._side)
        return event

    def join(self, event: torch.cuda.Event, tensors: Iterable[Tensor]) -> None:
        """Let the caller's stream wait for the event, and the tensors' memory for that stream."""
        stream = torch.cuda.current_stream(self._device)
        stream.wait_event(event)
        for tensor in tensors:
            tensor.record_stream(stream)

    def locked(self, array: NDArray[Any]) -> Tensor:
        """Return the array as a tensor whose pages are locked: a slot's own memory, of anything else a copy.

        Copies lie in torch's cache of locked memory, which is used again once the device has read it.
        """
        tensor = tensor_of(array)
        if tensor.data_ptr() == array.ctypes.data and self._locks.covers(array):
            return tensor
        return tensor.pin_memory()
