"""What the loader and its workers say to each other, as msgpack arrays that begin with their kind.

A worker may work for several loaders. What a message is about is named by its *lane*, the number that a loader has in
the pool of workers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from leaven.errors import ProtocolError
from leaven.stream import wire

STOP = b""
"""The message that ends a worker."""

LIMIT = 1 << 31
"""Bytes of a message at most: a batch may carry the samples themselves, or its arrays."""


class Open(NamedTuple):
    """Loader to worker: work for this lane as well; ``spec`` says what it needs to set up."""

    lane: int
    spec: Mapping[str, Any]


class Shut(NamedTuple):
    """Loader to worker: nothing more will come for this lane."""

    lane: int


class Work(NamedTuple):
    """Loader to worker: make this batch.

    ``number`` counts the lane's requests, ``attempt`` how often this one was given out before, ``slot`` is where its
    arrays lie (-1: in the answer), ``position`` that of the first sample in the stream, ``rows`` how many rows the
    batch has. Row ``i`` is sample ``(epochs[i], indices[i])``; rows beyond the samples are padding. ``items`` are the
    samples' contents where the worker cannot read the dataset itself. ``rejected`` lists rows that cannot be made, as
    ``[row, error]`` with the error as fields of text (row -1: what is no substitute either). ``substitutes`` lists what
    may be taken in their place, as ``[row, [[index, contents], ...]]``; ``None``: another sample of the batch.
    """

    lane: int
    number: int
    attempt: int
    slot: int
    position: int
    rows: int
    epochs: Sequence[int]
    indices: Sequence[int]
    items: Sequence[bytes] | None
    rejected: Sequence[Sequence[Any]]
    substitutes: Sequence[Sequence[Any]] | None = None


class Hello(NamedTuple):
    """Worker to loader, from another host: willing to work; ``versions`` maps packages to what is installed there."""

    versions: Mapping[str, str]


class Ready(NamedTuple):
    """Worker to loader: set up for this lane, waiting for work."""

    lane: int
    pid: int


class Done(NamedTuple):
    """Worker to loader: finished.

    ``batches`` has what each batch holds besides the arrays in the slot; ``in_slot`` names those. ``failures`` lists
    the rows that could not be made, as ``[row, error]``. ``trace`` has what the worker was on, as
    ``[stage, sample index, since when in ns]``, where that is recorded. ``counts`` says how often what has happened.
    """

    lane: int
    number: int
    attempt: int
    slot: int
    in_slot: Sequence[str]
    batches: Sequence[Mapping[str, Any]]
    failures: Sequence[Sequence[Any]]
    trace: Sequence[Sequence[int]]
    counts: dict[str, int]


class Failed(NamedTuple):
    """Worker to loader: it cannot be done (``number`` -1: the worker cannot work for this lane at all).

    Each of ``errors`` has the fields of a :class:`~leaven.errors.SampleError` and ``sample``: whether it is one.
    """

    lane: int
    number: int
    attempt: int
    slot: int
    errors: Sequence[Mapping[str, Any]]


class Died(NamedTuple):
    """From another host: the worker died while it was on ``index`` of request ``number`` (-1: on none).

    ``status`` says how, ``words`` are the end of what it wrote.
    """

    lane: int
    number: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    status: str
    words: str


Message = Open | Shut | Work | Hello | Ready | Done | Failed | Died

_KINDS: dict[str, type[Message]] = {
    kind.__name__.lower(): kind for kind in (Open, Shut, Work, Hello, Ready, Done, Failed, Died)
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

_INT = {int}
_INTS = {"epochs", "indices"}
_LISTS = {"rejected", "in_slot", "batches", "failures", "trace", "errors"}
_MAPS = {"spec", "versions"}
_TEXTS = {"status", "words"}
_STRUCTURED = {"items", "substitutes", "counts", *_INTS, *_LISTS, *_MAPS, *_TEXTS}


def encode(message: Message) -> bytes:
    """Return the message as bytes."""
    # what is asked for holds only what the loader has made itself, and goes out with every batch
    pack = wire.pack_trusted if type(message) is Work else wire.pack
    return pack([_NAMES[type(message)], *message])


def decode(data: bytes, limit: int = LIMIT) -> Message:
    """Return the message that ``data`` is. Its fields have the types that they promise, down to the entries of lists.

    Raises:
        ProtocolError: it is none.
    """
    parts = wire.unpack(data, limit)
    if not isinstance(parts, list) or not parts or not isinstance(parts[0], str) or parts[0] not in _KINDS:
        raise ProtocolError("not a message between loader and worker")
    kind = _KINDS[parts[0]]
    if len(parts) - 1 != len(kind._fields):
        raise ProtocolError(f"message {parts[0]!r} has {len(parts) - 1} fields instead of {len(kind._fields)}")
    for field, value in zip(kind._fields, parts[1:], strict=True):
        if not _fits(field, value):
            raise ProtocolError(f"message {parts[0]!r}: {field} is not what it has to be")
    return kind(*parts[1:])


def _fits(field: str, value: Any) -> bool:
    if field not in _STRUCTURED:
        return type(value) is int
    if field in _INTS:
        return isinstance(value, list) and _INT.issuperset(map(type, value))
    if field in _LISTS:
        return isinstance(value, list) and all(_fits_entry(field, entry) for entry in value)
    if field == "counts":
        return isinstance(value, dict) and all(
            type(name) is str and type(times) is int for name, times in value.items()
        )
    if field in _MAPS:
        return isinstance(value, dict)
    if field in _TEXTS:
        return isinstance(value, str)
    if field == "items":
        return value is None or (isinstance(value, list) and all(type(item) is bytes for item in value))
    return value is None or (isinstance(value, list) and all(_is_choice(entry) for entry in value))


def _fits_entry(field: str, entry: Any) -> bool:
    if field in ("rejected", "failures"):
        return _is_pair(entry) and is_error(entry[1])
    if field == "in_slot":
        return isinstance(entry, str)
    if field == "batches":
        return isinstance(entry, dict)
    if field == "trace":
        return isinstance(entry, list) and len(entry) == 3 and all(type(word) is int for word in entry)
    return is_error(entry)


def _is_choice(entry: Any) -> bool:
    """Return whether ``entry`` is a row and the contents to choose from."""
    return (
        _is_pair(entry)
        and isinstance(entry[1], list)
        and all(_is_pair(choice) and type(choice[1]) is bytes for choice in entry[1])
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and type(value[0]) is int


_ERROR_TEXTS = ("message", "key", "stage", "cause_type", "remote_traceback")


def is_error(fields: Any) -> bool:
    """Return whether ``fields`` are what :func:`~leaven.stream.failures.described` makes."""
    return (
        isinstance(fields, dict)
        and isinstance(fields.get("sample"), bool)
        and all(isinstance(fields.get(name), str) for name in _ERROR_TEXTS)
        and (fields.get("index") is None or type(fields["index"]) is int)
    )
