"""Routes: how arrays come to a device."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from leaven_plugins.devices.tensors import tensor_of

Arrays = Mapping[str, NDArray[Any]]
Tensors = dict[str, Tensor]


class Route(Protocol):
    """Brings arrays to one device."""

    def __call__(self, arrays: Arrays) -> Callable[[], Tensors]:
        """Begin; return what completes it, to be called where the tensors will be used."""


class Streams(Protocol):
    """What :class:`SideStream` needs of CUDA, for one device; :mod:`leaven_plugins.feeds.torch.cuda` has it."""

    def side(self) -> AbstractContextManager[Any]:
        """Return the context in which work is queued on the side stream."""

    def mark(self) -> Any:
        """Return an event of what is queued on the side stream by now, with ``query()`` and ``synchronize()``."""

    def join(self, event: Any, tensors: Iterable[Tensor]) -> None:
        """Let the caller's stream wait for the event, and the tensors' memory for that stream."""

    def locked(self, array: NDArray[Any]) -> Tensor:
        """Return the array as a tensor in memory that the device can read by itself; a copy where it has to be."""


class Direct:
    """Shares memory on the CPU; another device's copy is waited for, or queued, as torch does it there."""

    def __init__(self, device: torch.device, channels_last: bool) -> None:
        self._device = device
        self._channels_last = channels_last

    def __call__(self, arrays: Arrays) -> Callable[[], Tensors]:
        """Return what makes the tensors."""
        return partial(self._tensors, arrays)

    def _tensors(self, arrays: Arrays) -> Tensors:
        return {key: laid_out(tensor_of(array).to(self._device), self._channels_last) for key, array in arrays.items()}


class SideStream:
    """Copies on a stream of its own, beside what the device computes; nothing waits but that stream's readers.

    What is copied from is kept until the copy is done.
    """

    def __init__(self, device: torch.device, channels_last: bool, cuda: Streams) -> None:
        self._device = device
        self._channels_last = channels_last
        self._cuda = cuda
        self._under_way: deque[tuple[Any, list[Tensor]]] = deque()
        weakref.finalize(self, _wait, self._under_way)  # memory must not go while the device reads it

    def __call__(self, arrays: Arrays) -> Callable[[], Tensors]:
        """Queue the copies; return what makes the caller's stream wait for them."""
        self._let_go()
        sources = {key: self._cuda.locked(array) for key, array in arrays.items()}
        with self._cuda.side():
            copies = {key: self._copy(source) for key, source in sources.items()}
        event = self._cuda.mark()
        self._under_way.append((event, list(sources.values())))
        return partial(self._complete, copies, event)

    def _copy(self, source: Tensor) -> Tensor:
        return laid_out(source.to(self._device, non_blocking=True, copy=True), self._channels_last)

    def _complete(self, copies: Tensors, event: Any) -> Tensors:
        self._cuda.join(event, copies.values())
        self._let_go()
        return copies

    def _let_go(self) -> None:
        while self._under_way and self._under_way[0][0].query():
            self._under_way.popleft()


def laid_out(tensor: Tensor, channels_last: bool) -> Tensor:
    """Return the tensor, in ``torch.channels_last`` where that is wanted and it has 4 dimensions."""
    return tensor.contiguous(memory_format=torch.channels_last) if channels_last and tensor.ndim == 4 else tensor


def _wait(under_way: deque[tuple[Any, list[Tensor]]]) -> None:
    for event, _ in under_way:
        event.synchronize()
