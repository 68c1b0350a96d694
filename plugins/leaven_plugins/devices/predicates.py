"""Predicates: whether something is one device, and where devices are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from leaven.errors import ParameterError


def is_single_torch_device(value: Any) -> bool:
    """Return whether ``value`` is one device, and not several: ``"cuda:0"`` or a ``torch.device``, but no list of them.

    Raises:
        ParameterError: it is neither a device nor an iterable of devices. (It is a ``TypeError``.)
    """
    single, _ = _devices(value)
    return single


def is_cpu_only(value: Any) -> bool:
    """Return whether a device, or each of several, is the CPU.

    Raises:
        ParameterError: as for :func:`is_single_torch_device`.
    """
    return all(device.type == "cpu" for device in _devices(value)[1])


def is_gpu_only(value: Any) -> bool:
    """Return whether a device, or each of several, is a CUDA device.

    Raises:
        ParameterError: as for :func:`is_single_torch_device`.
    """
    return all(device.type == "cuda" for device in _devices(value)[1])


def _devices(value: Any) -> tuple[bool, list[torch.device]]:
    """Return whether it is one, and all of them. Which devices the machine has plays no part."""
    single = isinstance(value, (str, torch.device))
    parts = [value] if single else list(value) if isinstance(value, Iterable) else []
    try:
        devices = [torch.device(part) for part in parts if isinstance(part, (str, torch.device))]
    except RuntimeError as error:
        raise _refusal(value) from error
    if not devices or len(devices) < len(parts):
        raise _refusal(value)
    return single, devices


def _refusal(value: Any) -> ParameterError:
    return ParameterError(f"{value!r}: expected a device, such as 'cpu' or 'cuda:0', or an iterable of devices")
