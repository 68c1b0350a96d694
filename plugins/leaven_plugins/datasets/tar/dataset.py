"""TarDataset: samples in a tar file, as webdataset has them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from leaven.data.getters import field
from leaven.errors import FormatError, printable
from leaven_plugins.datasets.findings import Finding
from leaven_plugins.datasets.open_file import OpenFile
from leaven_plugins.datasets.opened_late import OpenedLate
from leaven_plugins.datasets.paths import path_of
from leaven_plugins.datasets.positions import checked
from leaven_plugins.datasets.tar.fields import decode_fields
from leaven_plugins.datasets.tar.index import INDEX, Group, Part, read_index
from leaven_plugins.datasets.tar.soundness import problems
from leaven_plugins.datasets.tar.writer import write_tar


class TarDataset(OpenedLate["_Opened"]):
    """Samples in a tar file, read at random and never unpacked to disk.

    Members whose names are the same up to the first dot are one sample, and that part of their names is its key. What
    follows tells the field: an image (``jpg``, ``jpeg``, ``png``, ``webp``, ``gif``, ``bmp``, ``tif``, ``tiff``) is
    ``image``, a second one goes by its ending, as does ``seg.png``; ``cls`` is ``label``, a whole number; the fields of
    a map in ``json`` are added; ``NAME.npy``, ``NAME.txt``, ``NAME.json`` and ``NAME.cls`` are decoded as ``NAME``; all
    else is bytes under its ending. Pickles are refused. Files without an ending, hidden ones and those called
    ``__NAME__`` belong to no sample.

    Where ``NAME.tar.index.json`` lies beside it, as written by :meth:`write`, it is not searched through, and each
    member is checked by its CRC-32 when it is read. Otherwise its heads are read once, at the first access.

    Links, devices, sparse files, names that lead out of the archive, and members that are there twice are refused, as
    is a file without the mark of its end: it was cut off.

    Args:
        path: the tar file. Several, as ``train-{000000..000003}.tar``, are opened by :func:`leaven.open`.
    """

    suffixes = (".tar", ".tar.gz", ".tgz")  # those for the sake of an error that says what to do
    companions = (INDEX,)

    def __init__(self, path: str | Path) -> None:
        self.path = path_of(path)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._files().groups)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key`` and its fields. Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: the file cannot be read.
            FormatError: it is damaged, cut off or compressed; or a member is not what its ending says, is a pickle, or
                has changed.
        """
        file, group = self._group(index)
        return _decoded(file, group)

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        return self._group(index)[1].key

    def offset(self, index: int) -> int:
        """Return where in the file the first bytes of a sample's content are; raises as :meth:`sample` does."""
        return self._group(index)[1].parts[0].offset

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> Any:
        """Return the label of a sample; where it is a member of its own, nothing else is read.

        Raises:
            SampleError: it has none.
        """
        file, group = self._group(index)
        alone = [part for part in group.parts if part.ending.lower() == "cls"]
        return field(_decoded(file, group._replace(parts=alone) if alone else group), "label", index)

    def problems(self) -> Iterator[Finding]:
        """Yield what is wrong with the index, or with the file by its checksum there, beyond what reading shows."""
        return problems(self.path)

    @classmethod
    def write(cls, path: str | Path, samples: Iterable[Mapping[Any, Any] | bytes], *, overwrite: bool = False) -> int:
        """Write a tar file and its index, and return the number of samples; the same samples are the same bytes.

        An image becomes a member with the ending of its type, a whole number in ``label`` one with ``cls``; other
        bytes one with the name of their field, arrays ``NAME.npy``, and what JSON holds is in ``json``. A key that no
        file can be called by is quoted in names, and kept in an attribute. Until everything is complete, ``path`` does
        not change.

        Args:
            path: the tar file.
            samples: mappings with a unique string under ``key``, or packed messages; ``path`` is left out. Taken one by
                one.
            overwrite: whether a file that exists is replaced.

        Raises:
            DatasetError: ``path`` exists, a key appears twice, or a file cannot be written.
            FormatError: a field cannot be held.
        """
        return write_tar(path_of(path), samples, overwrite)

    def _group(self, index: int) -> tuple[OpenFile, Group]:
        file, groups = self._files()
        return file, groups[checked(index, len(groups), self.path)]

    def _open(self) -> _Opened:
        file = OpenFile(self.path)
        try:
            return _Opened(file, read_index(file))
        except BaseException:
            file.close()
            raise


class _Opened(NamedTuple):
    file: OpenFile
    groups: list[Group]

    def close(self) -> None:
        self.file.close()


def _decoded(file: OpenFile, group: Group) -> dict[str, Any]:
    members = {part.ending: _read(file, group, part) for part in group.parts}
    try:
        return decode_fields(group.key, members)
    except FormatError as error:
        raise FormatError(f"{file.path}: sample {printable(group.key)!r}: {error}") from error


def _read(file: OpenFile, group: Group, part: Part) -> bytes:
    data = file.read(part.size, part.offset)
    if part.crc is not None and zlib.crc32(data) != part.crc:
        name = f"{printable(group.key)}.{part.ending}"
        raise FormatError(
            f"{file.path}: member {name!r} at byte {part.offset} is not what its checksum says: damaged, or the index "
            "beside it is that of another file"
        )
    return data
