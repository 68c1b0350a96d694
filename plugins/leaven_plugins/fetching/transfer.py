"""From an address to a file: resumed where it was broken off, tried again, and from one mirror after the other."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from leaven.errors import DatasetError, FormatError, printable
from leaven_plugins.fetching.addresses import Absent, Answer, Refused, ask, shown
from leaven_plugins.fetching.verifying import digest_of, mismatch

Progress = Callable[[str, int, "int | None"], None]
"""Called with the name of a file, how many bytes there are, and how many there will be, or ``None``."""

PART = ".part"
_CHUNK = 1 << 20
_SLOWEST = 100  # bytes a second over the length of a timeout: one byte now and then is no transfer


@dataclass(frozen=True)
class Transfer:
    """How files are fetched.

    Args:
        timeout: seconds that a server may be silent.
        retries: how often a transfer that failed is tried again, each time after a longer pause: 1, 2, 4 ... seconds.
        sleep: waits for so many seconds.
        clock: returns seconds.
    """

    timeout: float = 30.0
    retries: int = 3
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def fetch(
        self, urls: Sequence[str], path: Path, sha256: str | None = None, progress: Progress | None = None
    ) -> Fetched:
        """Fetch a file that does not exist yet, from the first address where that works.

        What has come before it was broken off stays in ``NAME.part``, and ``NAME.part.json`` says what it is a part
        of: the next try goes on there, unless the content has changed or the server cannot send parts.

        Args:
            urls: addresses of the same content.
            path: where to. The folder exists; nobody else writes there.
            sha256: what is expected. Something else is thrown away.
            progress: is told how far it has come.

        Raises:
            Absent: there is nothing at any of the addresses.
            FormatError: it is not what was expected.
            DatasetError: it cannot be had, or not be written; the text has the reason for each address.
        """
        failures: list[DatasetError] = []
        for url in urls:
            try:
                return self._from_one(url, path, sha256, progress or _silent)
            except _NotWritable as error:
                raise DatasetError(f"{path}: cannot be written: {error}") from error
            except DatasetError as error:
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        raise _most_telling(failures)(f"{path.name}: it cannot be had:" + "".join(f"\n  {error}" for error in failures))

    def _from_one(self, url: str, path: Path, sha256: str | None, progress: Progress) -> Fetched:
        for attempt in range(self.retries + 1):
            if attempt:
                self.sleep(2.0 ** (attempt - 1))
            try:
                answer = self._transferred(url, path, sha256 is not None, progress)
            except OSError as error:
                problem = error
                continue
            return _placed(url, path, sha256, answer)
        raise Refused(f"{shown(url)}: cannot be fetched, tried {self.retries + 1} times: {printable(str(problem))}")

    def _transferred(self, url: str, path: Path, checked: bool, progress: Progress) -> Answer:
        """Bring the part to its full length; an error that is an ``OSError`` may go away."""
        part = path.with_name(path.name + PART)
        done = _resumable(part, url, checked)
        answer = self._asked(url, done)
        same = _is_same(answer, part)
        if done and same and answer.total == done:  # it was broken off after its last byte
            answer.stream.close()
            return answer
        if done and not (same and answer.start == done):
            answer.stream.close()
            answer, done = self._asked(url, 0), 0
        try:
            if answer.start != done:
                raise Refused(f"{shown(url)}: sends bytes from {answer.start} on, {done} asked for")
            _check_room(path, answer, done)
            with _writing():
                _note(part, url, answer)
                file = open(part, "r+b" if done else "wb")  # noqa: SIM115 - closed below
            with file:
                self._copy(answer, file, done, lambda count: progress(path.name, count, answer.total))
        finally:
            answer.stream.close()
        return answer

    def _asked(self, url: str, start: int) -> Answer:
        try:
            return ask(url, start, timeout=self.timeout)
        except Refused:
            if not start:
                raise
            return ask(url, timeout=self.timeout)  # such as 416: it has become shorter

    def _copy(self, answer: Answer, file: IO[bytes], done: int, tell: Callable[[int], None]) -> None:
        file.truncate(done)
        file.seek(done)
        since, before = self.clock(), done
        while chunk := answer.stream.read(_CHUNK):
            with _writing():
                file.write(chunk)
            done += len(chunk)
            tell(done)
            if (now := self.clock()) - since > self.timeout:
                if done - before < _SLOWEST * (now - since):
                    raise TimeoutError(f"{done - before} bytes in {now - since:.0f} s are too slow")
                since, before = now, done
        with _writing():
            file.flush()
            os.fsync(file.fileno())
        if answer.total is not None and done != answer.total:
            raise ConnectionError(f"it ended after {done} of {answer.total} bytes")


class Fetched(NamedTuple):
    """A file that was fetched: its SHA-256, and the ``identity`` of the :class:`Answer` that it came in."""

    sha256: str
    identity: str


class _NotWritable(Exception):
    """This machine's disk does not take it; another try or address would not help."""


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EFBIG, errno.EIO, errno.EPERM):
            raise _NotWritable(error.strerror) from error
        raise


def _resumable(part: Path, url: str, checked: bool) -> int:
    """Return how many bytes of the part may be kept."""
    noted = _noted(part)
    known = checked or bool(noted.get("identity"))
    return part.stat().st_size if noted.get("url") == _name_of(url) and known and part.is_file() else 0


def _is_same(answer: Answer, part: Path) -> bool:
    """Return whether what is sent is of the same content as what is there."""
    noted = _noted(part)
    return noted.get("identity") == answer.identity and noted.get("total") == answer.total


def _note(part: Path, url: str, answer: Answer) -> None:
    noted = {"url": _name_of(url), "identity": answer.identity, "total": answer.total}
    _note_of(part).write_text(json.dumps(noted), "utf-8")


def _name_of(url: str) -> str:
    """Return what tells an address from any other, and keeps its secrets."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _noted(part: Path) -> dict[str, object]:
    try:
        noted = json.loads(_note_of(part).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _note_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _check_room(path: Path, answer: Answer, done: int) -> None:
    needed = (answer.total or 0) - done
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise _NotWritable(f"no space left: {needed:,} bytes are to come, there is room for {free:,}")


def _placed(url: str, path: Path, sha256: str | None, answer: Answer) -> Fetched:
    part = path.with_name(path.name + PART)
    found = digest_of(part)
    wrong = sha256 is not None and found != sha256.lower()
    with suppress(FileNotFoundError):
        _note_of(part).unlink()
    if wrong:
        part.unlink()
        raise FormatError(f"{mismatch(shown(url), str(sha256), found)}; it was thrown away")
    os.replace(part, path)
    return Fetched(found, answer.identity)


def _most_telling(failures: Sequence[DatasetError]) -> type[DatasetError]:
    kinds = {type(failure) for failure in failures}
    return Absent if kinds == {Absent} else FormatError if FormatError in kinds else DatasetError


def _silent(name: str, done: int, total: int | None) -> None:
    pass
