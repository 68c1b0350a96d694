"""The file of keys: one msgpack array of strings, in the order of the samples."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgpack

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.open_file import OpenFile, Sequential

_BLOCK = 16
"""The position of every 16th key is kept: 640 kB for 1.3 million keys, where the strings themselves take 100 MB."""


class KeysFile:
    """The keys, of which ``count`` is known from the first five bytes.

    Raises:
        DatasetError: it cannot be opened.
        FormatError: it is not a msgpack array, or too short for what it promises.
    """

    def __init__(self, path: Path) -> None:
        self._file = OpenFile(path)
        self._path = path
        self.count, self._start = self._header()
        self._blocks: array[int] | None = None
        if self.count > self._file.size - self._start:
            raise FormatError(f"{path}: promises {self.count} keys in {self._file.size} bytes: cut off")

    def key(self, index: int) -> str:
        """Return one key.

        Raises:
            FormatError: the file is cut off, or the key is not a string.
        """
        return self._block(index // _BLOCK)[index % _BLOCK]

    def __iter__(self) -> Iterator[str]:
        for number in range(-(-self.count // _BLOCK)):
            yield from self._block(number)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _header(self) -> tuple[int, int]:
        head = self._file.read(min(5, self._file.size), 0)
        if head and head[0] & 0xF0 == 0x90:
            return head[0] & 0x0F, 1
        for lead, size in ((b"\xdc", 2), (b"\xdd", 4)):
            if head.startswith(lead) and len(head) > size:
                return int.from_bytes(head[1 : 1 + size], "big"), 1 + size
        raise FormatError(f"{self._path}: does not begin with the head of a msgpack array")

    def _block(self, number: int) -> list[str]:
        if self._blocks is None:
            self._blocks = self._scan()
        start, end = self._blocks[number], self._blocks[number + 1]
        reader = msgpack.Unpacker(max_buffer_size=max(1, end - start), max_array_len=0, max_map_len=0)
        reader.feed(self._file.read(end - start, start))
        try:
            keys = list(reader)
        except Exception as error:
            raise FormatError(f"{self._path}: malformed key near byte {start}: {error}") from error
        for position, key in enumerate(keys):
            if not isinstance(key, str):
                name = f"key {number * _BLOCK + position}"
                raise FormatError(f"{self._path}: {name} is not a string: {printable(repr(key), 80)}")
        return keys

    def _scan(self) -> array[int]:
        """Return where each block of keys begins, and where the last one ends."""
        blocks = array("Q")
        reader = msgpack.Unpacker(Sequential(self._file), read_size=1 << 20, max_buffer_size=1 << 26)
        position = 0
        try:
            reader.read_array_header()
            for position in range(self.count):
                if position % _BLOCK == 0:
                    blocks.append(reader.tell())
                reader.skip()
        except Exception as error:
            text = "cut off" if isinstance(error, msgpack.OutOfData) else str(error)
            where = f"key {position} of {self.count}, at byte {reader.tell()}"
            raise FormatError(f"{self._path}: {where}: {text}") from error
        blocks.append(reader.tell())
        return blocks


def encode_keys(keys: Sequence[str]) -> bytes:
    """Return the content of the file for these keys."""
    packed: bytes = msgpack.packb(list(keys))
    return packed
