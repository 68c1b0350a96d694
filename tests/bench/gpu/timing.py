"""Timing work on a device, by its own clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch


def milliseconds(work: Callable[[], Any], device: str, rounds: int) -> float:
    """Return the median time of ``work``, with what it does on the host, after some rounds that do not count."""
    for _ in range(3):
        work()
    return median(_once(work, device) for _ in range(rounds))


def _once(work: Callable[[], Any], device: str) -> float:
    if device == "cpu":
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) * 1e3
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end)
