"""Joining the process group that the environment describes, and leaving it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

import torch
import torch.distributed as dist

from leaven.errors import ParameterError
from leaven_plugins.distributed.failures import DistributedError

_NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}  # with NCCL, messages still go by way of gloo


class Place(NamedTuple):
    """Which process the environment says that this is."""

    rank: int
    size: int
    local_rank: int


def place(environment: Mapping[str, str]) -> Place | None:
    """Return what torchrun's variables say; ``None`` where this process is alone.

    A cluster may set ``WORLD_SIZE=1`` for everything that it starts: that alone means nothing.

    Raises:
        DistributedError: they are incomplete, no numbers, or out of range.
    """
    given = [name for name in _NEEDED if environment.get(name)]
    if "RANK" not in given and environment.get("WORLD_SIZE", "1") == "1":
        return None
    if missing := sorted(set(_NEEDED) - set(given)):
        raise DistributedError(
            f"the environment has {', '.join(given)}, but not {', '.join(missing)}: start the script with torchrun or "
            "`leaven train --nproc`, or unset them"
        )
    rank, size = _number(environment, "RANK"), _number(environment, "WORLD_SIZE")
    if not 0 <= rank < size:
        raise DistributedError(f"RANK={rank}: with WORLD_SIZE={size}, ranks are 0 to {size - 1}")
    return Place(rank, size, _number(environment, "LOCAL_RANK") if environment.get("LOCAL_RANK") else rank)


def join(device: str, timeout: float) -> bool:
    """Join the group of the environment, unless this process is alone or has joined one already.

    Args:
        device: ``"cpu"`` (gloo) or ``"cuda"`` (NCCL, and gloo for messages); with ``"cuda"``, GPU number
            ``LOCAL_RANK`` becomes the current one.
        timeout: seconds that the others may let this process wait, from 1.

    Returns:
        Whether it has joined, and so has to :func:`leave`.

    Raises:
        ParameterError: another device, or a timeout out of range.
        DistributedError: the others cannot be reached, or there is no such GPU.
    """
    if device not in _BACKENDS:
        raise ParameterError(f"device={device!r}: several processes work on 'cpu' (gloo) or 'cuda' (nccl)")
    if not 1 <= timeout < float("inf"):
        raise ParameterError(f"timeout={timeout}: expected seconds, at least 1")
    found = None if dist.is_initialized() else place(os.environ)
    if found is None:
        return False
    if device == "cuda":
        _take_gpu(found)
    try:
        dist.init_process_group(_BACKENDS[device], timeout=timedelta(seconds=timeout))
    except (RuntimeError, ValueError) as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise DistributedError(
            f"rank {found.rank} of {found.size}: cannot meet the other ranks at {where} ({error}); "
            "see whether all of them were started, and whether this address can be reached from here"
        ) from error
    return True


def leave(failed: bool = False) -> None:
    """Leave the group without waiting for anybody.

    Args:
        failed: whether a rank has gone. What is under way on a GPU is given up then, since it would never end.
    """
    if not dist.is_initialized():
        return
    give_up = getattr(dist.distributed_c10d, "_abort_process_group", dist.destroy_process_group)
    if failed and "nccl" in dist.get_backend_config():
        give_up()
    else:
        dist.destroy_process_group()


def _take_gpu(found: Place) -> None:
    count = torch.cuda.device_count()
    if found.local_rank >= count:
        raise DistributedError(
            f"rank {found.rank} of {found.size}: LOCAL_RANK={found.local_rank}, but this machine has {count} GPUs; "
            "start as many processes on it as it has GPUs, or use device='cpu'"
        )
    torch.cuda.set_device(found.local_rank)


def _number(environment: Mapping[str, str], name: str) -> int:
    try:
        return int(environment[name])
    except ValueError:
        raise DistributedError(f"{name}={environment[name]!r} in the environment: expected a whole number") from None
