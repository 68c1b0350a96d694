"""The index of datadings before version 3: one msgpack map from each key to the start of its sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from leaven.errors import FormatError, ProtocolError
from leaven.stream.wire import unpack
from leaven_plugins.datasets.open_file import OpenFile, Readable


class LegacyIndex:
    """Keys and spans of all samples, in the order of the file.

    Raises:
        DatasetError: the file cannot be opened.
        FormatError: it is not such a map, or its offsets are not in order and within the data file.
    """

    def __init__(self, path: Path, data_size: int) -> None:
        starts = _read(path)
        self._keys = list(starts)
        self._bounds = [*starts.values(), data_size]
        self._positions = {key: position for position, key in enumerate(self._keys)}
        for position, (start, end) in enumerate(zip(self._bounds, self._bounds[1:], strict=False)):
            if not 0 <= start < end:
                raise FormatError(
                    f"{path}: sample {position} would be bytes {start} to {end} of {data_size}: cut off or changed"
                )

    def __len__(self) -> int:
        return len(self._keys)

    def span(self, index: int) -> tuple[int, int]:
        """Return start and end of a sample."""
        return self._bounds[index], self._bounds[index + 1]

    def key(self, index: int) -> str:
        """Return one key."""
        return self._keys[index]

    def find(self, key: str) -> int | None:
        """Return the position of a key, or ``None``."""
        return self._positions.get(key)

    def reader(self, data: Readable) -> Callable[[int], bytes]:
        """Return a function that returns the message of a sample."""

        def read(index: int) -> bytes:
            start, end = self.span(index)
            return data.read(end - start, start)

        return read

    def close(self) -> None:
        """Nothing is kept open."""


def _read(path: Path) -> dict[str, int]:
    file = OpenFile(path)
    try:
        starts = unpack(file.read(file.size, 0), limit=file.size)
    except ProtocolError as error:
        raise FormatError(f"{path}: {error}") from error
    finally:
        file.close()
    if not isinstance(starts, dict) or not all(type(k) is str and type(v) is int for k, v in starts.items()):
        raise FormatError(f"{path}: not a map from keys to offsets")
    return starts
