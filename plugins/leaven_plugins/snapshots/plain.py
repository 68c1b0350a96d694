"""What may stand in a snapshot: tensors and plain data. Everything else is refused with the path that leads to it."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from leaven_plugins.snapshots.errors import SnapshotError

_SCALARS = (bool, float, complex, str, type(None), torch.dtype, torch.device, torch.Size)
_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,  # str() would ask the subclass, and an enumeration answers with its own name
}
_MOST_BITS = 2032  # of an integer: the restricted reader takes no larger ones
_AS_JSON = (bool, int, float, str, type(None))


def portable(value: Any, path: str) -> Any:
    """Return ``value`` with tensors detached, on the CPU and without unused storage, and numbers of plain types.

    Tensors that are the same memory stay so. Numbers of numpy and of subclasses (``np.float64``, ``IntEnum``), which a
    restricted reader refuses, become plain ones.

    Args:
        value: tensors, numbers, text, ``None``, and lists, tuples, sets and dicts of these.
        path: what the value is called in errors, such as ``"optimizer"``.

    Raises:
        SnapshotError: something else is in it, as in ``optimizer.state[3].foo: a Foo``.
    """
    return _Copier().copy(value, path)


def jsonable(value: Any, path: str) -> Any:
    """Return ``value`` as JSON keeps it: paths as text, tuples as lists, numbers and arrays of numpy as plain ones.

    Raises:
        SnapshotError: there is something that JSON has no word for.
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return jsonable(value.tolist(), path)
    if isinstance(value, Mapping):
        return {_json_key(key, path): jsonable(part, _below(path, key)) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(part, f"{path}[{i}]") for i, part in enumerate(value)]
    if isinstance(value, _AS_JSON):
        return value
    raise SnapshotError(f"{path}: {_a(value)}, which JSON has no word for; it takes numbers, text, lists and dicts")


def place_of(tensor: Tensor) -> Hashable:
    """Return what two tensors have in common if they are the same memory, seen in the same way."""
    if tensor.layout is not torch.strided:
        return id(tensor)  # it has several memories, or none that can be seen
    where = tensor.untyped_storage().data_ptr() or id(tensor)
    return where, tensor.storage_offset(), tensor.shape, tensor.stride(), tensor.dtype, str(tensor.device)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield all tensors of a part, at any depth; those that are the same object once for each place."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, set)):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)


class _Copier:
    """One copy of a part, which knows which tensors it has seen."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, Tensor] = {}
        self._open: set[int] = set()

    def copy(self, value: Any, path: str) -> Any:
        if type(value) in _SCALARS:
            return value
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, Mapping) or type(value) in (list, tuple, set):
            return self._container(value, path)
        return _number(value, path)

    def _container(self, value: Any, path: str) -> Any:
        if id(value) in self._open:
            raise SnapshotError(f"{path}: it contains itself")
        self._open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, path)
            return type(value)(self.copy(part, f"{path}[{i}]") for i, part in enumerate(value))
        finally:
            self._open.remove(id(value))

    def _mapping(self, value: Mapping[Any, Any], path: str) -> Any:
        pairs = [
            (self.copy(key, f"a key of {path}"), self.copy(part, _below(path, key))) for key, part in value.items()
        ]
        if not isinstance(value, OrderedDict):
            return dict(pairs)
        made: OrderedDict[Any, Any] = OrderedDict(pairs)
        made.__dict__.update(self.copy(vars(value), path))  # a module's state_dict() has its versions there
        return made

    def _tensor(self, value: Tensor, path: str) -> Tensor:
        if value.is_meta:
            raise SnapshotError(f"{path}: a tensor without data (on the device meta)")
        if type(value.detach()) is not Tensor or value.is_nested:
            raise SnapshotError(f"{path}: {_a(value)}, a tensor of a kind of its own; give it as a plain one")
        if value.layout is not torch.strided:
            return value.detach().cpu()
        value = value.detach().resolve_conj().resolve_neg()  # else they were the same memory as what they are made of
        place = place_of(value)
        if place not in self._seen:
            self._seen[place] = _own(value)
        return self._seen[place]


def _own(tensor: Tensor) -> Tensor:
    """Return a tensor on the CPU whose storage holds nothing else."""
    here = tensor.cpu()
    whole = here.untyped_storage().nbytes() == here.numel() * here.element_size()
    return here if whole else here.clone(memory_format=torch.contiguous_format)


def _number(value: Any, path: str) -> Any:
    """Return a number or text of a subclass, or one of numpy's, as a plain one."""
    item = value.item() if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0 else value
    if isinstance(item, bool):
        return item
    for base, plain in _PLAIN.items():
        if isinstance(item, base) and not _is_too_large(item):
            return plain(item)
    advice = "; make it a tensor or a list" if hasattr(value, "tolist") or isinstance(value, bytes) else ""
    raise SnapshotError(f"{path}: {_a(value)}: a snapshot holds tensors and plain data only{advice}")


def _is_too_large(item: Any) -> bool:
    return isinstance(item, int) and item.bit_length() > _MOST_BITS


def _json_key(key: Any, path: str) -> str:
    if isinstance(key, (bool, int, float, str)):
        return str(key)
    raise SnapshotError(f"{path}: {_a(key)} as a key, which JSON has no word for")


def _below(path: str, key: Any) -> str:
    return f"{path}.{key}" if isinstance(key, str) else f"{path}[{key!r}]"


def _a(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
