"""Choosing devices: from ``"auto"``, ``"cpu"``, ``"cuda:1"``, ``"auto:2"`` or a list to devices that there are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from leaven.errors import ParameterError
from leaven_plugins.devices.gpus import available

Device = str | torch.device

_EXPECTED = "expected 'auto', 'auto:NUMBER', 'cpu', 'cuda', 'cuda:NUMBER', or a list of devices"


class DeviceError(ParameterError, ValueError):
    """A device was asked for that is none, that is not here, or that cannot do what it is wanted for."""


@dataclass(frozen=True)
class Cuda:
    """What is known of this machine's CUDA devices.

    Args:
        count: how many torch sees.
        by_room: their indices, the one with the most free memory first.
        local_rank: which of the processes that torchrun has started on this machine this is; ``None`` where it was not.
    """

    count: int
    by_room: Sequence[int]
    local_rank: int | None = None

    @classmethod
    def here(cls) -> Cuda:
        """Return what is so now. Where NVML cannot tell the free memory, the devices come in torch's order."""
        count = torch.cuda.device_count()
        roomy = [gpu.index for gpu in available(n=None, least_mem=-1) if gpu.index < count] if count else []
        rank = os.environ.get("LOCAL_RANK", "")
        return cls(count, roomy or range(count), int(rank) if rank.isascii() and rank.isdigit() else None)


def chosen(spec: Device | Sequence[Device] = "auto", cuda: Cuda | None = None) -> torch.device:
    """Return the one device that is meant.

    Raises:
        DeviceError: as for :func:`chosen_all`, or it is several.
    """
    devices = chosen_all(spec, cuda)
    if len(devices) > 1:
        raise DeviceError(f"device {spec!r}: one is needed here, and these are {len(devices)}")
    return devices[0]


def chosen_all(spec: Device | Sequence[Device] = "auto", cuda: Cuda | None = None) -> list[torch.device]:
    """Return the devices that are meant; CUDA devices always with their number.

    ``"auto"`` is the CUDA device with the most free memory, or the CPU where there is none; ``"auto:2"`` are the two
    with the most. In a process that torchrun has started, ``"auto"`` and ``"cuda"`` are the device of its local rank:
    processes that all took the freest one would meet there.

    Args:
        spec: names, or ``torch.device``s.
        cuda: what is known of the CUDA devices; by default what is so now.

    Raises:
        DeviceError: there is no such device, or not as many.
    """
    names = [spec] if isinstance(spec, (str, torch.device)) else list(spec) if isinstance(spec, Sequence) else []
    if not names:
        raise DeviceError(f"device {spec!r}: {_EXPECTED}")
    if all(str(name) == "cpu" for name in names):  # NVML need not be asked
        return [torch.device("cpu") for _ in names]
    known = cuda or Cuda.here()
    if len(names) == 1 and isinstance(names[0], str) and names[0].partition(":")[0] == "auto":
        return _freest(names[0], known)
    return [_existing(name, known) for name in names]


def _freest(name: str, cuda: Cuda) -> list[torch.device]:
    _, several, number = name.partition(":")
    if not several:
        if cuda.local_rank is not None and cuda.count:
            return [_existing("cuda", cuda)]
        return [torch.device("cuda", cuda.by_room[0]) if cuda.count else torch.device("cpu")]
    if not (number.isascii() and number.isdigit() and int(number)):
        raise DeviceError(f"device {name!r}: {_EXPECTED}")
    if int(number) > cuda.count:
        raise DeviceError(f"device {name!r}: {_seen(cuda)}; use 'auto' or fewer of them")
    return [torch.device("cuda", index) for index in cuda.by_room[: int(number)]]


def _existing(name: Device, cuda: Cuda) -> torch.device:
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise DeviceError(f"device {name!r}: {_EXPECTED}") from error
    if device.type != "cuda":
        return device
    index = device.index if device.index is not None else cuda.local_rank or 0
    if index >= cuda.count:
        raise DeviceError(f"device {str(name)!r}: {_seen(cuda)}; {_instead(cuda)}")
    return torch.device("cuda", index)


def _seen(cuda: Cuda) -> str:
    if not cuda.count:
        return "torch sees no CUDA device here"
    return f"torch sees {cuda.count} CUDA device{'s' * (cuda.count > 1)} here" + (
        "" if cuda.local_rank is None else f", and this process's local rank is {cuda.local_rank}"
    )


def _instead(cuda: Cuda) -> str:
    if cuda.count and cuda.local_rank is not None:
        return "start as many processes as there are devices, or name this process's, as 'cuda:0'"
    return "use 'cpu' or 'auto'"
