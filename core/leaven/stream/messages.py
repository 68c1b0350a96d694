"""What the loader and its workers say to each other, as msgpack arrays that begin with their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from leaven.errors import ProtocolError
from leaven.stream import wire

STOP = b""
"""The message that ends a worker."""

_LIMIT = 1 << 31  # bytes: a batch may carry the samples themselves, or its arrays


class Work(NamedTuple):
    """Loader to worker: make this batch.

    ``number`` counts requests over the loader's life, ``attempt`` how often this one was given out before, ``slot`` is
    where its arrays lie (-1: in the answer), ``position`` that of the first sample in the stream. Sample ``i`` is
    ``(epochs[i], indices[i])``; ``items`` are their contents where the worker cannot read the dataset itself.
    """

    number: int
    attempt: int
    slot: int
    position: int
    epochs: Sequence[int]
    indices: Sequence[int]
    items: Sequence[bytes] | None


class Ready(NamedTuple):
    """Worker to loader: set up, waiting for work."""

    pid: int


class Done(NamedTuple):
    """Worker to loader: finished.

    ``batches`` has what each batch holds besides the arrays in the slot; ``in_slot`` names those.
    """

    number: int
    attempt: int
    slot: int
    in_slot: Sequence[str]
    batches: Sequence[Mapping[str, Any]]


class Failed(NamedTuple):
    """Worker to loader: it cannot be done (``number`` -1: the worker cannot work at all).

    ``error`` has the fields of a :class:`~leaven.errors.SampleError` and ``sample``: whether it is one.
    """

    number: int
    attempt: int
    slot: int
    error: Mapping[str, Any]


Message = Work | Ready | Done | Failed

_KINDS: dict[str, type[Message]] = {"work": Work, "ready": Ready, "done": Done, "failed": Failed}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(message: Message) -> bytes:
    """Return the message as bytes."""
    return wire.pack([_NAMES[type(message)], *message])


def decode(data: bytes) -> Message:
    """Return the message that ``data`` is.

    Raises:
        ProtocolError: it is none.
    """
    parts = wire.unpack(data, _LIMIT)
    if not isinstance(parts, list) or not parts or not isinstance(parts[0], str) or parts[0] not in _KINDS:
        raise ProtocolError("not a message between loader and worker")
    kind = _KINDS[parts[0]]
    if len(parts) - 1 != len(kind._fields):
        raise ProtocolError(f"message {parts[0]!r} has {len(parts) - 1} fields instead of {len(kind._fields)}")
    return kind(*parts[1:])
