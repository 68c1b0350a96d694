"""``leaven data index``: indices of JPEGs that stay as they are, in a sidecar."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from leaven.errors import DatasetError
from leaven_plugins.commands.data.parallel import ordered
from leaven_plugins.datasets.jpeg_index import (
    FIELD,
    Stamped,
    in_order,
    is_index,
    write_folder_index,
    write_packed_index,
)
from leaven_plugins.datasets.reading import read_sample
from leaven_plugins.datasets.replacing import is_unchanged
from leaven_plugins.repacking.repacker import ALREADY, INDEXED, OTHER_FIELD
from leaven_plugins.repacking.restarts import is_jpeg
from leaven_plugins.repacking.tally import Tally

if TYPE_CHECKING:
    from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset
    from leaven_plugins.repacking.native import Native


class Indexed(NamedTuple):
    """An index, or ``None``; and what became of an image of ``size`` bytes (``None``: there is none).

    ``failed``: there is no index because the image cannot be read.
    """

    image_index: bytes | None
    outcome: str | None
    size: int = 0
    failed: bool = False


class Indexer:
    """Makes the index of a JPEG, with an entry for every ``interval`` blocks (MCUs) at most."""

    def __init__(self, native: Native, interval: int) -> None:
        self._native = native
        self._interval = interval

    def __call__(self, image: bytes) -> Indexed:
        """Return the index, or why there is none."""
        if not is_jpeg(image):
            return Indexed(None, "not a JPEG", len(image))
        try:
            return Indexed(self._native.make_index(image, self._interval), INDEXED, len(image))
        except self._native.JpegError as error:
            return Indexed(None, str(getattr(error, "status", error)), len(image))


def index_packed(
    data: Path, source: MsgpackDataset, indexer: Indexer, jobs: int | None, advance: Callable[[], None]
) -> tuple[Path, Tally]:
    """Write the sidecar of a packed dataset; return where it is, and what became of the images.

    Images whose samples have an index already need no other. ``source`` is the dataset without its sidecar.

    Raises:
        DatasetError: a file cannot be read or written, or has changed meanwhile.
        SampleError: a sample cannot be read.
    """
    tally, former = Tally(), source.status()

    def made(position: int) -> Indexed:
        fields, _, _ = read_sample(source, position)
        image = fields.get("image")
        if not isinstance(image, bytes):
            return Indexed(None, None)
        if FIELD in fields:
            return Indexed(None, ALREADY if is_index(fields[FIELD]) else OTHER_FIELD, len(image))
        return indexer(image)

    def indices() -> Iterator[bytes | None]:
        yield from _counted(ordered(made, range(len(source)), jobs), tally, advance)
        if not is_unchanged(data, former):
            raise DatasetError(f"{data}: has changed meanwhile; run the command again")

    return write_packed_index(data, len(source), indices()), tally


def index_folder(
    root: Path, names: Sequence[str], indexer: Indexer, jobs: int | None, advance: Callable[[], None]
) -> tuple[Path, Tally]:
    """Write the sidecar of a folder with the JPEGs ``names``; return where it is, and what became of the images.

    Raises:
        DatasetError: the sidecar cannot be written.
    """
    tally = Tally()
    files = in_order(file for file in (_stamped(root, name) for name in names) if file is not None)

    def made(file: Stamped) -> Indexed:
        try:
            return indexer((root / file.key).read_bytes())
        except OSError as error:
            return Indexed(None, (error.strerror or str(error)).lower(), file.size, failed=True)

    return write_folder_index(root, files, _counted(ordered(made, files, jobs), tally, advance)), tally


def _stamped(root: Path, name: str) -> Stamped | None:
    """Return the file as it is now; ``None`` where it has gone, or is a link that leads nowhere."""
    try:
        status = os.stat(root / name)
    except OSError:
        return None
    return Stamped(name, status.st_size, status.st_mtime_ns)


def _counted(results: Iterator[Indexed], tally: Tally, advance: Callable[[], None]) -> Iterator[bytes | None]:
    for result in results:
        if result.outcome is not None:
            tally.add(result.outcome, result.size, result.size, result.failed)
        advance()
        yield result.image_index
