"""coat and shell: anything to tensors on a device, and tensors back to numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from leaven_plugins.devices.choice import Device, chosen
from leaven_plugins.devices.tensors import is_numeric, tensor_of


def coat(datum: Any, device: Device = "cpu", requires_grad: bool = False) -> Any:
    """Return ``datum`` with every number, array and tensor in it as a tensor on ``device``.

    Dicts, lists and tuples stay what they are, with their parts changed; text, ``None`` and whatever else is no number
    stays as it is. Arrays and tensors keep their dtype and, where they are on the device already, their memory. Plain
    numbers become what ``torch.tensor`` makes of them, of no dimension. All are cut off from any graph.

    Args:
        datum: what is to be on the device.
        device: any that :func:`~leaven_plugins.devices.choice.chosen` takes.
        requires_grad: ask for gradients of what can have them: floating-point and complex tensors.

    Raises:
        DeviceError: there is no such device.
    """
    place = chosen(device)
    return _mapped(datum, lambda value: _coated(value, place, requires_grad))


def shell(datum: Any, as_numpy: bool = True) -> Any:
    """Return ``datum`` with every tensor in it on the CPU, without gradients: the way back from :func:`coat`.

    Waits for the device. Dicts, lists and tuples stay what they are, and so does what is no tensor.

    Args:
        datum: tensors, or what contains them.
        as_numpy: make arrays of them, and numbers of those without dimensions; bfloat16, which numpy has not, becomes
            float32. Otherwise they stay tensors.
    """
    return _mapped(datum, _uncoated if as_numpy else _detached)


def _coated(value: Any, device: torch.device, requires_grad: bool) -> Any:
    if isinstance(value, (np.number, np.bool_)):
        value = np.asarray(value)
    if is_numeric(value):
        value = tensor_of(value)
    elif isinstance(value, (bool, int, float, complex)):
        value = torch.tensor(value)
    if not isinstance(value, Tensor):
        return value
    tensor = value.detach().to(device)
    differentiable = tensor.is_floating_point() or tensor.is_complex()
    return tensor.requires_grad_(requires_grad and differentiable)


def _detached(value: Any) -> Any:
    return value.detach().cpu() if isinstance(value, Tensor) else value


def _uncoated(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    tensor = _detached(value).resolve_conj().resolve_neg()
    if not tensor.ndim:
        return tensor.item()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _mapped(datum: Any, function: Any) -> Any:
    if isinstance(datum, Mapping):
        return {key: _mapped(part, function) for key, part in datum.items()}
    if isinstance(datum, tuple) and hasattr(datum, "_fields"):
        return type(datum)(*(_mapped(part, function) for part in datum))
    if isinstance(datum, (list, tuple)):
        return type(datum)(_mapped(part, function) for part in datum)
    return function(datum)
