"""The world: the processes that train together, and what they tell each other.

Everything works alone as well, as rank 0 of 1 and without ``torch.distributed``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch.distributed as dist
from torch import Tensor

from leaven.errors import ParameterError
from leaven_plugins.distributed import messages, nested, packing
from leaven_plugins.distributed.failures import DistributedError, as_peer_lost, lost_peer
from leaven_plugins.distributed.joining import join, leave, place


@dataclass(frozen=True)
class World:
    """Which one of how many processes this is; from :func:`current` or :func:`joined`.

    Every method is called by all ranks, in the same order. Messages are CPU tensors wherever the group can carry them,
    so that nothing waits for a GPU. A rank that has gone, or does not answer before the group's timeout, is a
    :class:`~leaven_plugins.distributed.failures.PeerLost` in the others.

    Attributes:
        rank: of this process, 0 to ``size - 1``.
        size: how many processes there are.
        local_rank: number of this process on its machine: which GPU it has.
        backend: ``"gloo"``, ``"nccl"`` or what the group was made with; ``""`` alone, or before it is joined.
        device_type: ``"cpu"`` or ``"cuda"``: where networks are trained.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    backend: str = ""
    device_type: str = "cpu"

    def gather(self, plain: Any) -> list[Any]:
        """Return what each rank has said, by rank; the same list on all of them.

        Args:
            plain: plain data and tensors, see :func:`leaven_plugins.distributed.packing.pack`.

        Raises:
            ProtocolError: it cannot be packed.
            DistributedError: a rank has gone, or the group was not joined.
        """
        return [packing.unpack(data) for data in self._gathered(plain, "gather")]

    def broadcast(self, plain: Any, source: int = 0) -> Any:
        """Return what rank ``source`` has said; what the others pass does not matter.

        Raises:
            ParameterError: there is no such rank.
            ProtocolError: it cannot be packed.
            DistributedError: a rank has gone, or the group was not joined.
        """
        if not 0 <= source < self.size:
            raise ParameterError(f"source={source}: with {self.size} ranks, these are 0 to {self.size - 1}")
        data = packing.pack(plain) if self.rank == source else b""
        with self._talking("broadcast"):
            return packing.unpack(messages.broadcast(data, source) if self.size > 1 else data)

    def sum(self, values: Any) -> Any:
        """Return the sum over the ranks, in new tensors that have no gradient.

        Args:
            values: a tensor, a number, or lists, tuples and dicts of these, with the same shapes and dtypes on each
                rank. Whole numbers and bools are added as int64; floats of 8 and 16 bits as float32, and
                returned as they came.

        Raises:
            ParameterError: something in it is neither tensor nor number.
            DistributedError: ranks passed different shapes or dtypes, one has gone, or the group was not joined.
        """
        return self._reduced(values, "sum", 1)

    def mean(self, values: Any) -> Any:
        """Return the mean over the ranks: as :meth:`sum`, divided by :attr:`size`. Whole numbers become floats."""
        return self._reduced(values, "mean", self.size)

    def any(self, flag: bool) -> bool:
        """Return whether ``flag`` is true on any rank."""
        with self._talking("any"):
            return bool(messages.highest(int(flag)) if self.size > 1 else flag)

    def all_equal(self, plain: Any) -> bool:
        """Return whether all ranks have said the same."""
        return len(set(self._gathered(plain, "all_equal"))) == 1

    def barrier(self) -> None:
        """Wait for all ranks."""
        self.any(False)

    def _gathered(self, plain: Any, doing: str) -> list[bytes]:
        data = packing.pack(plain)
        with self._talking(doing):
            return messages.gathered(data) if self.size > 1 else [data]

    def _reduced(self, values: Any, doing: str, divisor: int) -> Any:
        layout = nested.layout(values)
        with self._talking(doing):
            self._check_layout(layout, doing)
            return nested.mapped(lambda value: nested.reduced(value, self._added, doing == "mean", divisor), values)

    def _added(self, tensor: Tensor) -> Tensor:
        return messages.added(tensor) if self.size > 1 else tensor

    def _check_layout(self, layout: str, doing: str) -> None:
        # gloo aborts the process where sizes differ, and NCCL waits or mixes up the numbers
        if self.size > 1 and len(set(layouts := self.gather(layout))) > 1:
            told = "; ".join(f"rank {rank}: {each}" for rank, each in enumerate(layouts))
            raise DistributedError(
                f"rank {self.rank} of {self.size}: {doing}: the ranks passed different values: {told}"
            )

    @contextmanager
    def _talking(self, doing: str) -> Iterator[None]:
        if self.size > 1 and not dist.is_initialized():
            raise DistributedError(
                f"rank {self.rank} of {self.size}: {doing}: the ranks are not connected; "
                "call it within leaven_plugins.distributed.world.joined()"
            )
        with _mapping_losses(self, doing):
            yield


def current() -> World:
    """Return the world of the group that was joined, else what the environment says, else that of a single process.

    Raises:
        DistributedError: the environment is incomplete.
    """
    found = place(os.environ)
    if not dist.is_initialized():
        return World() if found is None else World(*found)
    config = dist.get_backend_config()
    rank = dist.get_rank()
    local = found.local_rank if found is not None else rank
    return World(
        rank, dist.get_world_size(), local, *(("nccl", "cuda") if "nccl" in config else (dist.get_backend(), "cpu"))
    )


@contextmanager
def joined(device: str = "cpu", timeout: float = 600.0) -> Iterator[World]:
    """Join the ranks of torchrun or ``launch`` for the time of a ``with`` block; alone, or within another one, nothing.

    Where the block ends with an error, the group is left at once, without waiting for anybody. An error of
    ``torch.distributed`` that means that another rank has gone, also from within ``backward()``, becomes a
    :class:`~leaven_plugins.distributed.failures.PeerLost`.

    Args:
        device: ``"cpu"`` (gloo) or ``"cuda"`` (NCCL for tensors on GPUs, gloo for others); with ``"cuda"``, GPU number
            ``LOCAL_RANK`` becomes the current one.
        timeout: seconds after which a rank that lives but does not answer counts as gone. One that has died is noticed
            at once by gloo, and by what has started the processes.

    Raises:
        ParameterError: another device, or a timeout below 1 second.
        DistributedError: the environment is incomplete, or the others cannot be reached.
    """
    owner = join(device, timeout)
    failed = True
    try:
        world = current()
        with _mapping_losses(world, "training together"):
            yield world
        failed = False
    finally:
        if owner:
            leave(failed)


@contextmanager
def _mapping_losses(world: World, doing: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if lost_peer(error):
            raise as_peer_lost(error, world.rank, world.size, doing) from error
        raise
