"""BufferPool: arrays in shared memory that producers fill and consumers read, handed over by reference."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, ProtocolError
from leaven.stream import wire
from leaven.stream.arena import Layout
from leaven.stream.arrays import from_ext
from leaven.stream.buffers import BufferSpec, SpecLike, buffer_spec
from leaven.stream.dtypes import dtype_from_plain, dtype_to_plain, whole
from leaven.stream.sets import MOST, Held, Sets
from leaven.stream.shared import address_of

REFERENCE = 16
"""Ext code of an array by reference: ``[set, how often it was taken, key, rows]``."""


class BufferPool:
    """Sets of arrays that travel between processes of one machine by reference.

    A producer takes a set with :meth:`next`, fills it, and packs it into a message; a consumer that unpacks the message
    gets the same memory. The set can be taken again once nothing shows what was unpacked any more, or the process that
    had it has ended. A set belongs into one message, which is unpacked once, by anybody: whoever cannot deliver it
    unpacks it to give the set back.

    Args:
        num_buffers: how many sets; with one, producer and consumer take turns.
        batch_size: rows of each array.
        specs: key -> :func:`~leaven.stream.buffers.buffer_spec` of a row.

    Raises:
        ParameterError: there are no sets, no rows, or a spec is none.
        WorkerError: there is not enough memory.
    """

    def __init__(self, num_buffers: int, batch_size: int, specs: Mapping[str, SpecLike]) -> None:
        if not 1 <= whole(num_buffers, "num_buffers") <= MOST:
            raise ParameterError(f"num_buffers={num_buffers}: expected 1 to {MOST}")
        if whole(batch_size, "batch_size") < 1:
            raise ParameterError(f"batch_size={batch_size}: expected 1 or more")
        if num_buffers == 1:
            warnings.warn("num_buffers=1: nothing can be filled while a batch is looked at; take 2", stacklevel=2)
        self._num_buffers = int(num_buffers)
        self._layout = Layout.of({key: buffer_spec(spec) for key, spec in specs.items()}, int(batch_size))
        self._sets = Sets(self._num_buffers, self._layout.size)

    @classmethod
    def attach(cls, descriptor: Mapping[str, Any]) -> BufferPool:
        """Return the pool that another process described.

        Raises:
            ProtocolError: this is no descriptor of a pool.
            WorkerError: the pool does not exist any more.
        """
        self = cls.__new__(cls)
        try:
            specs = {key: _spec(*parts) for key, parts in descriptor["specs"].items()}
            self._num_buffers = int(descriptor["num_buffers"])
            self._layout = Layout.of(specs, int(descriptor["batch_size"]))
            self._sets = Sets(self._num_buffers, self._layout.size, dict(descriptor["sets"]))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ProtocolError(f"not the descriptor of a buffer pool: {error!r}") from error
        return self

    def descriptor(self) -> dict[str, Any]:
        """Return what :meth:`attach` needs in another process of the same user: plain data, also for JSON."""
        return {
            "sets": self._sets.descriptor(),
            "num_buffers": self._num_buffers,
            "batch_size": self._layout.rows,
            "specs": {key: _plain(spec) for key, (_, spec) in self._layout.fields.items()},
        }

    def next(self) -> dict[str, NDArray[Any]] | None:
        """Wait for a free set; return its arrays, filled with the specs' fill values, or ``None`` after :meth:`close`.

        A set that is not packed is free again when its arrays die. A warning is logged where all sets have been in
        messages for seconds: see :meth:`reclaim`.
        """
        held = self._sets.take()
        return None if held is None else self._layout.filled(held.memory, self._layout.rows)

    def pack(self, obj: Any) -> bytes:
        """Return plain data as a message, with the arrays of a set (or their first rows) by reference.

        Other arrays travel by value. The set is the message's from now on: do not touch its arrays any more.

        Raises:
            ProtocolError: something in ``obj`` is not plain data.
        """
        used: dict[int, Held] = {}
        message = wire.pack(_replaced(obj, lambda value: self._reference(value, used)))
        for held in used.values():
            self._sets.send(held)
        return message

    def unpack(self, data: bytes) -> Any:
        """Return the content of a message, with views of shared memory where arrays came by reference.

        Raises:
            ProtocolError: it is malformed, or was unpacked before.
        """
        message = wire.unpack(data, len(data), _extension)
        found: dict[int, Held] = {}
        return _replaced(message, lambda value: self._resolved(value, found))

    def reclaim(self, older_than: float) -> int:
        """Free the sets whose messages nobody has unpacked for so many seconds; return how many.

        It is for messages that are lost, as with a consumer that was killed before it read them. Whoever unpacks such a
        message after all gets a ``ProtocolError``.

        Raises:
            ParameterError: it is no number of seconds.
        """
        if isinstance(older_than, bool) or not isinstance(older_than, (int, float)) or not older_than >= 0:
            raise ParameterError(f"older_than={older_than!r}: expected seconds, at least 0")
        return self._sets.reclaim(older_than)

    def close(self) -> None:
        """End the pool for all processes: whoever waits in :meth:`next` gets ``None``. Arrays stay as they are."""
        self._sets.close()

    def __enter__(self) -> BufferPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _reference(self, value: Any, used: dict[int, Held]) -> Any:
        """Return the reference to an array of a set that this process has; other values as they are."""
        if not isinstance(value, np.ndarray) or not value.size:
            return value
        number, offset = self._sets.number_at(address_of(value))
        held = self._sets.held(number, value.base)
        key = None if held is None else self._key(value, offset)
        if held is None or key is None:
            return value
        used[number] = held
        return msgpack.ExtType(REFERENCE, wire.pack([number, held.times, key, len(value)]))

    def _key(self, array: NDArray[Any], offset: int) -> str | None:
        """Return which array of a set ``array`` is, or is the first rows of."""
        for key, (start, spec) in self._layout.fields.items():
            if start == offset and (array.shape[1:], array.dtype) == (spec.shape, spec.dtype):
                return key if array.flags.c_contiguous else None
        return None

    def _resolved(self, value: Any, found: dict[int, Held]) -> Any:
        """Return the view that a reference stands for; other values as they are."""
        if not isinstance(value, msgpack.ExtType):
            return value
        number, times, key, rows = _parts(value.data)
        if key not in self._layout.fields or not 0 < rows <= self._layout.rows:
            raise ProtocolError(f"a set of this pool has no array {key!r} of {rows} rows")
        if number not in found:
            found[number] = self._sets.receive(number, times)
        return self._layout.arrays(found[number].memory, rows)[key]


def _replaced(obj: Any, value_of: Callable[[Any], Any]) -> Any:
    """Return plain data with ``value_of(value)`` in the place of each value that is no container.

    Raises:
        ProtocolError: it is nested too deeply.
    """
    try:
        return _mapped(obj, value_of)
    except RecursionError:
        raise ProtocolError("cannot pack or unpack data that is nested this deeply") from None


def _mapped(obj: Any, value_of: Callable[[Any], Any]) -> Any:
    if isinstance(obj, Mapping):
        return {key: _mapped(value, value_of) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)) and not isinstance(obj, msgpack.ExtType):
        return [_mapped(value, value_of) for value in obj]
    return value_of(obj)


def _extension(code: int, payload: bytes) -> Any:
    return msgpack.ExtType(code, payload) if code == REFERENCE else from_ext(code, payload)


def _parts(payload: bytes) -> tuple[int, int, str, int]:
    parts = wire.unpack(payload)
    kinds = [type(part) for part in parts] if isinstance(parts, list) else []
    if kinds != [int, int, str, int]:
        raise ProtocolError("malformed reference to an array")
    return tuple(parts)


def _plain(spec: BufferSpec) -> list[Any]:
    fill = None if spec.fill is None else [list(spec.fill.shape), spec.fill.astype(spec.dtype).tobytes().hex()]
    return [list(spec.shape), dtype_to_plain(spec.dtype), fill]


def _spec(shape: list[int], plain: Any, fill: Any) -> BufferSpec:
    dtype = dtype_from_plain(plain)
    if fill is None:
        return BufferSpec(tuple(shape), dtype, None)
    return BufferSpec(tuple(shape), dtype, np.ndarray(tuple(fill[0]), dtype, bytes.fromhex(fill[1])))
