"""Quarantine: a file that lists the samples that could not be made, one JSON object for each line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leaven.errors import DatasetError, FormatError, SampleError, printable

_LINE = 1 << 20  # characters of a line at most; what is written has some 10 kB
_KEY, _TEXT = 1000, 2000  # characters that are kept
_BEGIN = '{"key": '


@dataclass(frozen=True)
class Listed:
    """One failure of one sample.

    Attributes:
        key: the sample's key, or ``""``.
        index: its position in the dataset, where that is known.
        offset: where its bytes begin in the dataset's file, where there is such a place.
        stage: what was being done, as in :class:`~leaven.errors.SampleError`.
        error: what went wrong.
        cause: name of the original error's type, or how the worker ended that the sample killed.
        epoch: how many times the whole dataset came before, where that is known.
        dataset: absolute path of the dataset, or what it is.
    """

    key: str
    index: int | None
    offset: int | None
    stage: str
    error: str
    cause: str
    epoch: int | None
    dataset: str

    @classmethod
    def of(cls, error: SampleError, epoch: int | None, dataset: Any) -> Listed:
        """Return what is listed of an error; ``dataset`` is asked for the offset if it has ``offset(index)``."""
        text = printable(error.message, _TEXT)
        offset = _offset(dataset, error.index)
        key, index, stage, cause = error.key[:_KEY], error.index, error.stage, error.cause_type
        return cls(key, index, offset, stage, text, cause, epoch, name_of(dataset))


class Quarantine:
    """The file at ``path``, to which lines are added; it and its folder are made if need be.

    What a file lists already, by dataset, epoch and sample, is not listed again: not when the sample comes twice, and
    not by a run that goes on where another one ended.

    Raises:
        DatasetError: it cannot be written.
        FormatError: it has something else in it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        _refuse_others(self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append(b"")
        except OSError as error:
            raise DatasetError(f"quarantine file {self.path}: cannot be written: {error.strerror}") from error
        self._known = {_identity(listed) for listed in read_quarantine(self.path)}

    def add(self, listed: Listed) -> bool:
        """Append a line, by one call of the system; return whether it was a new one.

        Raises:
            DatasetError: it cannot be written.
        """
        identity = _identity(listed)
        if identity in self._known:
            return False
        line = json.dumps(asdict(listed)).encode() + b"\n"  # ASCII: everything else is escaped
        try:
            self._append(line)
        except OSError as error:
            raise DatasetError(f"quarantine file {self.path}: cannot be written: {error.strerror}") from error
        self._known.add(identity)
        return True

    def _append(self, line: bytes) -> None:
        # Opened for each line: failures are rare, and a file that is moved away or kept by nobody needs no care.
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(fd).st_size
            torn = bool(line) and size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            os.write(fd, b"\n" + line if torn else line)
        finally:
            os.close(fd)


def read_quarantine(path: str | Path) -> Iterator[Listed]:
    """Yield what a quarantine file lists. A line that was cut off, by a full disk or a kill, is left out.

    Raises:
        DatasetError: it cannot be read.
        FormatError: a line is something else; the text says which.
    """
    _refuse_others(path)
    try:
        with open(path, encoding="utf-8") as file:
            number = 0
            while line := file.readline(_LINE):
                number += 1
                if line.strip():
                    yield from _listed(line, f"{path}, line {number}")
    except OSError as error:
        raise DatasetError(f"quarantine file {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: no quarantine file: {error.reason}") from error


def name_of(dataset: Any) -> str:
    """Return what a line calls a dataset: its path, absolute if it is one of a file here, or the name of its type."""
    path = str(getattr(dataset, "path", type(dataset).__name__))
    return os.path.abspath(path) if hasattr(dataset, "path") and os.path.exists(path) else path


def _refuse_others(path: str | Path) -> None:
    """Reading from a pipe or a terminal would wait for somebody to write there."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise DatasetError(f"quarantine file {path}: is not a file")


def _listed(line: str, where: str) -> Iterator[Listed]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        if line.startswith(_BEGIN):
            return
        raise FormatError(f"{where}: not a line of a quarantine file: {printable(str(error), 100)}") from error
    if not isinstance(fields, dict):
        raise FormatError(f"{where}: not a line of a quarantine file: {type(fields).__name__} instead of an object")
    for name, kinds in _FIELDS.items():
        if type(fields.get(name)) not in kinds:
            raise FormatError(f"{where}: not a line of a quarantine file: no {name}, or not what it has to be")
    yield Listed(**{name: fields[name] for name in _FIELDS})


_FIELDS: dict[str, tuple[type, ...]] = {
    "key": (str,),
    "index": (int, type(None)),
    "offset": (int, type(None)),
    "stage": (str,),
    "error": (str,),
    "cause": (str,),
    "epoch": (int, type(None)),
    "dataset": (str,),
}


def _identity(listed: Listed) -> tuple[Any, ...]:
    return listed.dataset, listed.epoch, listed.key if listed.index is None else listed.index


def _offset(dataset: Any, index: int | None) -> int | None:
    if index is None or not hasattr(dataset, "offset"):
        return None
    try:
        return int(dataset.offset(index))
    except Exception:  # the sample's own error is the one to tell
        return None
