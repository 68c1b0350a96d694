"""Archives of folders, unpacked with care: they may come from anywhere."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from leaven.errors import DatasetError, FormatError, printable
from leaven_plugins.copying.marks import END, START
from leaven_plugins.datasets.archives import leads_out

_RATIO, _FREE = 200, 1 << 28  # an archive may unpack to 200 times its size, and to 256 MB in any case
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class Archive:
    """The members of an archive, all of which may be unpacked.

    Attributes:
        size: how many bytes they are unpacked.
        count: how many files they are.

    Raises:
        FormatError: it is damaged, or has members that lead out of it, are links, come twice, are encrypted, or unpack
            to far more than there is.
        DatasetError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise FormatError(f"{path}: is no archive: {printable(str(error))}") from error
        for member in members:
            _check(path, member)
        self._files = [member for member in members if not member.is_dir() and not _is_mark(member)]
        self._folders = [member for member in members if member.is_dir()]
        self.count = len(self._files)
        self.size = sum(member.file_size for member in self._files)
        self._check_all()

    def unpack(self, folder: Path) -> None:
        """Unpack everything into a folder, which is made.

        Raises:
            FormatError: a member is damaged: its length or checksum is another one.
            OSError: a file cannot be written.
        """
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(self._path) as archive:
            for member in self._folders:
                (folder / member.filename).mkdir(parents=True, exist_ok=True)
            for member in self._files:
                self._unpack(archive, member, folder / member.filename)

    def _unpack(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with archive.open(member) as packed, target.open("xb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise FormatError(f"{self._path}: {printable(member.filename)!r} is damaged: {error}") from error
        found = target.stat().st_size
        if found != member.file_size:
            text = f"{found} bytes instead of {member.file_size}"
            raise FormatError(f"{self._path}: {printable(member.filename)!r} is damaged: {text}")

    def _check_all(self) -> None:
        names = [os.path.normpath(member.filename) for member in self._files]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise FormatError(f"{self._path}: has {printable(twice)!r} twice")
        packed = self._path.stat().st_size
        if self.size > max(_FREE, _RATIO * packed):
            raise FormatError(f"{self._path}: {packed} bytes that unpack to {self.size}: more than {_RATIO} times that")


def _first_of(member: zipfile.ZipInfo) -> str:
    return os.path.normpath(member.filename).partition(os.sep)[0]


def _is_mark(member: zipfile.ZipInfo) -> bool:
    """Return whether it would be taken for one of those that a copy has; ``./NAME`` is as well."""
    return not member.is_dir() and os.path.normpath(member.filename) in (START, END)


def _check(path: Path, member: zipfile.ZipInfo) -> None:
    """Raise where a member is not to be unpacked."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    problem = ""
    if leads_out(member.filename):
        problem = "leads out of it"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        problem = "is a link, or no file"
    elif _first_of(member) in (START, END) and not _is_mark(member):
        problem = "has the name of a mark of copies"
    elif member.flag_bits & 1:
        problem = "is encrypted"
    elif member.compress_type not in _METHODS:
        problem = f"is packed in a way that is not known ({member.compress_type})"
    if problem:
        raise FormatError(f"{path}: {printable(member.filename)!r} {problem}")
