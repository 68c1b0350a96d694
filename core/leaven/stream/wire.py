"""The message format: msgpack for control messages and recipes, and datadings' dialect of it for samples.

Control messages are maps with string keys, lists, plain values and numpy arrays (ext types). Samples are as datadings
writes them: any key, numpy values as msgpack-numpy's maps. Both are read with limits: whatever the bytes are, reading
takes memory in proportion to their number, and ends in an object or in one type of error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import NoneType
from typing import Any

import msgpack

from leaven.errors import FormatError, ProtocolError, printable
from leaven.stream.arrays import from_ext, from_map, to_ext, to_map
from leaven.stream.flat import flat_sample

MESSAGE_LIMIT = 1 << 20
"""Size in bytes above which a control message is refused unless asked otherwise."""

_MAX_DEPTH = 1024  # that of msgpack's own stack

Buffer = bytes | bytearray | memoryview


def pack(obj: Any) -> bytes:
    """Return a control message. Tuples arrive as lists, numpy arrays and scalars as they are.

    Raises:
        ProtocolError: something in it is not plain data; the text has the path of it, such as ``params.ops[0]``.
    """
    try:
        return _packed(obj, to_ext, strict_map_key=True)
    except Exception as error:
        raise ProtocolError(f"cannot pack {_culprit(obj, to_ext, (str, bytes), error)}") from error


def pack_trusted(obj: Any) -> bytes:
    """Return the same for what holds nothing foreign: numbers, strings, bytes and lists of these, all within bounds."""
    packed: bytes = msgpack.packb(obj)
    return packed


def unpack(data: Buffer, limit: int = MESSAGE_LIMIT, ext_hook: Callable[[int, bytes], Any] = from_ext) -> Any:
    """Return the content of a control message of at most ``limit`` bytes.

    ``ext_hook(code, payload)`` returns what an ext type stands for, or raises where it is none.

    Raises:
        ProtocolError: too long, cut off, too deeply nested, a map key that is not a string, an unknown ext type, an
            array that is not what it promises, or too many containers for its length.
    """
    if len(data) > limit:
        raise ProtocolError(f"message of {len(data)} bytes is over the limit of {limit}")
    try:
        return _read(data, _Budget(len(data)), strict_map_key=True, ext_hook=ext_hook)
    except Exception as error:
        where = _culprit_within(data, lambda value: ext_hook(*value) if isinstance(value, msgpack.ExtType) else None)
        raise ProtocolError(f"malformed message of {len(data)} bytes: {where}{_reason(error)}") from error


def pack_sample(sample: Mapping[Any, Any]) -> bytes:
    """Return a sample as one packed message in datadings' dialect, byte for byte what datadings writes.

    Raises:
        FormatError: a value cannot be packed (objects, object arrays, integers over 64 bits); the text has its path.
    """
    try:
        return _packed(dict(sample), to_map, strict_map_key=False)
    except Exception as error:
        keys = (str, bytes, int, float, bool, NoneType)
        raise FormatError(f"cannot pack sample: {_culprit(sample, to_map, keys, error)}") from error


def unpack_sample(data: Buffer) -> dict[Any, Any]:
    """Return the sample in a packed message. Numpy arrays are writable copies.

    Raises:
        FormatError: cut off, not a map, too deeply nested, an array that is not what it promises or one of objects, or
            too many containers for its length.
    """
    flat = flat_sample(data) if type(data) is bytes else None
    if flat is not None:
        return flat
    try:
        sample = _read(data, _SampleBudget(len(data)), strict_map_key=False)
    except Exception as error:
        where = _culprit_within(data, lambda value: from_map(value) if isinstance(value, dict) else None)
        raise FormatError(f"malformed sample of {len(data)} bytes: {where}{_reason(error)}") from error
    if not isinstance(sample, dict):
        raise FormatError(f"malformed sample of {len(data)} bytes: a {type(sample).__name__} instead of a map")
    return sample


def key_of(data: Buffer) -> str:
    """Return the value of ``key`` in a packed sample, without unpacking the rest of it.

    Raises:
        FormatError: it is not a packed sample, or has no key that is a string.
    """
    reader = _reader(data, max_array_len=0, max_map_len=0, strict_map_key=False)
    try:
        for _ in range(reader.read_map_header()):
            if reader.unpack() == "key":
                key = reader.unpack()
                if isinstance(key, str):
                    return key
                break
            reader.skip()
    except Exception as error:
        raise FormatError(f"malformed sample of {len(data)} bytes: {_reason(error)}") from error
    raise FormatError(f"sample of {len(data)} bytes has no key 'key' that is a string")


class _Budget:
    """How many maps and lists a message may hold: enough for honest ones, such as an empty map for each row.

    A map takes one byte in a message and 64 in memory when empty, 3 and 232 with one entry.
    """

    def __init__(self, nbytes: int) -> None:
        self.maps = self._most_maps = 65_536 + nbytes // 8
        self.lists = self._most_lists = 65_536 + nbytes // 3

    def on_map(self, value: dict[Any, Any]) -> Any:
        self.maps -= 1
        if self.maps < 0:
            raise ValueError(f"more than {self._most_maps} maps")
        return value

    def on_list(self, value: list[Any]) -> list[Any]:
        self.lists -= 1
        if self.lists < 0:
            raise ValueError(f"more than {self._most_lists} lists")
        return value


class _SampleBudget(_Budget):
    """The same, and maps that stand for numpy values become these."""

    def on_map(self, value: dict[Any, Any]) -> Any:
        return from_map(super().on_map(value))


def _read(data: Buffer, budget: _Budget, **options: Any) -> Any:
    _check_complete(data)
    return msgpack.unpackb(data, object_hook=budget.on_map, list_hook=budget.on_list, **options)


def _check_complete(data: Buffer) -> None:
    # Lists are allocated at the length that they declare: 5 kB that open 1,000 lists took 77 MB and 54 ms to refuse.
    # Skipping allocates nothing, takes 0.6 us for 1 kB, and what passes it has a byte for each element declared.
    reader = _reader(data)
    reader.skip()
    if reader.tell() != len(data):
        raise ValueError(f"{len(data) - reader.tell()} bytes after its end")


def _reader(data: Buffer, **options: Any) -> msgpack.Unpacker:
    reader = msgpack.Unpacker(max_buffer_size=max(1, len(data)), **options)
    reader.feed(data)
    return reader


def _packed(obj: Any, default: Callable[[Any], Any], strict_map_key: bool) -> bytes:
    packed: bytes = msgpack.packb(obj, default=default)
    # What cannot be read must not be sent: the receiver would drop it and could not tell where it is wrong.
    msgpack.unpackb(packed, strict_map_key=strict_map_key, ext_hook=_nothing)
    return packed


def _nothing(code: int, data: bytes) -> None:
    return None


def _culprit(obj: Any, default: Callable[[Any], Any], keys: tuple[type, ...], error: Exception) -> str:
    """Return path and reason of the first value or key that cannot be packed."""
    for path, value, is_key in _walk(obj):
        if is_key and not isinstance(value, keys):
            return f"{path}: {type(value).__name__} {printable(repr(value), 60)}"
        try:
            msgpack.packb(value, default=default)
        except Exception as reason:
            return f"{path}: {_reason(reason)}"
    return f"message: {_reason(error)}"


def _culprit_within(data: Buffer, check: Callable[[Any], Any]) -> str:
    """Return the path of the first numpy value within ``data`` that cannot be read, as ``"at path: "``, or ``""``."""
    try:
        plain = _read(data, _Budget(len(data)), strict_map_key=False)
    except Exception:
        return ""
    for path, value, _ in _walk(plain, maps=True):
        try:
            check(value)
        except Exception:
            return f"at {path}: "
    return ""


def _walk(obj: Any, maps: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Yield path and value of each leaf and key (``True``) of ``obj``, and of its maps if asked, down to a limit."""
    stack: list[tuple[str, Any, int]] = [("", obj, 0)]
    while stack:
        path, value, depth = stack.pop()
        shown = printable(path, 120) or "message"
        if depth > _MAX_DEPTH or not isinstance(value, (Mapping, list, tuple)) or isinstance(value, msgpack.ExtType):
            yield shown, value, False
        elif isinstance(value, Mapping):
            if maps:
                yield shown, value, False
            yield from ((f"a key of {shown}", key, True) for key in value)
            stack.extend(reversed([(_joined(path, key), child, depth + 1) for key, child in value.items()]))
        else:
            stack.extend(reversed([(f"{path}[{n}]", child, depth + 1) for n, child in enumerate(value)]))


def _joined(path: str, key: Any) -> str:
    name = key if isinstance(key, str) else f"[{key!r}]"
    return f"{path}.{name}" if path and isinstance(key, str) else f"{path}{name}"


def _reason(error: Exception) -> str:
    if isinstance(error, msgpack.OutOfData):
        return "cut off"
    if isinstance(error, msgpack.StackError):
        return "nested too deeply"
    if isinstance(error, msgpack.FormatError):
        return "not msgpack"
    return printable(str(error), 200) or type(error).__name__
