"""Plain data with tensors in it as bytes, for ranks to tell each other: msgpack, no pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.errors import ProtocolError
from leaven.stream import wire

_TENSOR = "leaven:tensor"


def pack(plain: Any) -> bytes:
    """Return plain data as bytes.

    Args:
        plain: numbers, strings, bytes, ``None``, numpy arrays, dense tensors of any dtype and device, and lists, tuples
            and dicts with string keys of these. Tuples arrive as lists, tensors on the CPU and without a gradient.

    Raises:
        ProtocolError: something else; the text has its path.
    """
    return wire.pack(_without_tensors(plain))


def unpack(data: bytes) -> Any:
    """Return what was packed.

    Raises:
        ProtocolError: it is malformed.
    """
    return _with_tensors(wire.unpack(data, len(data)))


def _without_tensors(value: Any) -> Any:
    if isinstance(value, Tensor):
        _check_dense(value)
        flat = value.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1).view(torch.uint8)
        return {_TENSOR: [str(value.dtype).removeprefix("torch."), list(value.shape), flat.numpy()]}
    if isinstance(value, Mapping):
        if _TENSOR in value:
            raise ProtocolError(f"cannot pack a dict with the key {_TENSOR!r}, which stands for a tensor")
        return {key: _without_tensors(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_tensors(part) for part in value]
    return value


def _check_dense(tensor: Tensor) -> None:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested or tensor.is_meta:
        raise ProtocolError(
            f"cannot pack a tensor of {tensor.dtype}, {tensor.layout}, on {tensor.device}: "
            "expected a dense one with data"
        )


def _with_tensors(value: Any) -> Any:
    if isinstance(value, dict):
        return (
            _tensor(*value[_TENSOR]) if _TENSOR in value else {key: _with_tensors(part) for key, part in value.items()}
        )
    if isinstance(value, list):
        return [_with_tensors(part) for part in value]
    return value


def _tensor(name: str, shape: list[int], content: Any) -> Tensor:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise ProtocolError(f"malformed tensor: {name!r} is no dtype")
    try:
        flat = torch.from_numpy(content).view(dtype) if content.size else torch.empty(0, dtype=dtype)
        return flat.reshape(shape)
    except (TypeError, RuntimeError) as error:
        raise ProtocolError(f"malformed tensor: {error}") from error
