"""Bytes and tensors between the ranks of the process group, by collectives that do not pickle."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def gathered(data: bytes) -> list[bytes]:
    """Return the bytes of each rank, by rank."""
    lengths = [int(length.item()) for length in _all(torch.tensor([len(data)], device=control()))]
    rows = _all(_tensor(data, max(lengths), control()))
    return [row.cpu()[:length].numpy().tobytes() for row, length in zip(rows, lengths, strict=True)]


def broadcast(data: bytes, source: int) -> bytes:
    """Return the bytes of rank ``source``."""
    length = torch.tensor([len(data)], device=control())
    dist.broadcast(length, source)
    message = _tensor(data, int(length.item()), control())
    dist.broadcast(message, source)
    return message.cpu().numpy().tobytes()


def highest(number: int) -> int:
    """Return the highest of the ranks' numbers."""
    message = torch.tensor([number], device=control())
    dist.all_reduce(message, dist.ReduceOp.MAX)
    return int(message.item())


def added(tensor: Tensor) -> Tensor:
    """Return the sum over the ranks, on the tensor's device."""
    message = tensor.to(_place(tensor.device), copy=True)
    dist.all_reduce(message)
    return message.to(tensor.device)


def control() -> torch.device:
    """Return where messages are made: on the CPU, but in a group that was made for NCCL alone."""
    return _place(torch.device("cpu"))


def _all(tensor: Tensor) -> list[Tensor]:
    rows = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(rows, tensor)
    return rows


def _place(device: torch.device) -> torch.device:
    """Return the device itself, or the GPU where the group carries nothing of this device."""
    carried = [entry.partition(":")[0] for entry in dist.get_backend_config().split(",")]
    return device if device.type in carried else torch.device("cuda", torch.cuda.current_device())


def _tensor(data: bytes, length: int, place: torch.device) -> Tensor:
    padded = bytearray(data.ljust(length, b"\0"))
    return torch.frombuffer(padded, dtype=torch.uint8).to(place) if padded else torch.empty(0, dtype=torch.uint8)
