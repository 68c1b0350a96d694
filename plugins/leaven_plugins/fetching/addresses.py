"""What is read from an address: ``http``, ``https`` and ``file`` by the standard library, anything else by fsspec."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from leaven.errors import DatasetError, MissingPackageError, printable
from leaven_plugins.fetching.verifying import open_plain

if TYPE_CHECKING:
    from email.message import Message
    from urllib.error import HTTPError

_FOR_GOOD = frozenset(range(300, 500)) - {408, 425, 429}  # of the answers that are errors, those that will not change
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)")

_LENGTH = re.compile(r"[0-9]{1,18}")


class Absent(DatasetError):
    """There is nothing at an address."""


class Refused(DatasetError):
    """An address cannot be read, and to ask again would not help."""


class Denied(Refused):
    """It is not for us; some servers say so as well where there is nothing."""


class Unchanged(Exception):
    """What is at an address still is what it was."""


class Answer(NamedTuple):
    """What came back from an address.

    Attributes:
        stream: the bytes from ``start`` on; ``read(n)`` returns as many as there are at once, ``b""`` at the end.
        start: 0 where the whole was sent, although a part was asked for.
        total: length of the whole in bytes, ``None`` where it was not told.
        identity: what tells this content from another one that may be there some day; ``""`` for nothing.
    """

    stream: Stream
    start: int
    total: int | None
    identity: str


class Stream(NamedTuple):
    """Bytes to be read, from something to be closed."""

    read: Callable[[int], bytes]
    close: Callable[[], Any]


def ask(uri: str, start: int = 0, known: str = "", timeout: float = 30.0) -> Answer:
    """Ask for what is at an address.

    Args:
        uri: the address.
        start: the first byte that is wanted; the whole may come all the same.
        known: an :class:`Answer`'s ``identity``: it is not wanted again.
        timeout: seconds that the other side may be silent.

    Raises:
        Absent: there is nothing.
        Refused: it cannot be read.
        Unchanged: it is what is ``known``.
        OSError: it could not be reached, or is not ready; later it may be.
        MissingPackageError: fsspec is needed.
    """
    scheme = uri.partition("://")[0].lower()
    if scheme in ("http", "https"):
        return _ask_http(uri, start, known, timeout)
    return _ask_file(uri, known) if scheme == "file" else _ask_fsspec(uri, start, known)


def shown(uri: str) -> str:
    """Return an address as it may stand in a text: without a password, and without what follows a question mark."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # it is none
        return printable(uri.partition("://")[0] + "://...")
    host = parts.netloc.rpartition("@")[2]
    return printable(parts._replace(netloc=host, query="", fragment="").geturl())


def _ask_http(uri: str, start: int, known: str, timeout: float) -> Answer:
    from http.client import HTTPException, InvalidURL  # 40 ms with the next, for those who fetch something
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    headers = {"User-Agent": "leaven", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        plain, secret = _without_password(uri)
        request = Request(plain, headers=headers | _conditions(known))
        if secret:
            request.add_unredirected_header("Authorization", secret)  # for this server alone
        response = urlopen(request, timeout=timeout)
    except HTTPError as error:
        with error:
            raise _http_error(uri, error) from None
    except (ValueError, InvalidURL) as error:  # an address that is none, such as one of a port that is no number
        raise Refused(f"{shown(uri)}: cannot be read: {printable(str(error))}") from error
    except HTTPException as error:
        raise _passing(error) from error
    except URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else _passing(error) from error
    if response.status not in (200, 206, None):  # none for ftp, where a server leads to such
        response.close()
        raise ConnectionError(f"the server answers {response.status}, without the file")
    begin, total = _extent(response.status, response.headers)
    return Answer(Stream(_guarded(response.read1), response.close), begin, total, _identity(response.headers))


def _without_password(uri: str) -> tuple[str, str]:
    """Return an address without a user's name and password, and what the server is told of these."""
    parts = urlsplit(uri)
    user, _, host = parts.netloc.rpartition("@")
    secret = f"Basic {b64encode(unquote(user).encode()).decode()}" if user else ""
    return parts._replace(netloc=host).geturl(), secret


def _http_error(uri: str, error: HTTPError) -> Exception:
    if error.code == 304:
        return Unchanged()
    text = f"{shown(uri)}: the server answers {error.code} {printable(str(error.reason), 200)}"
    if error.code in (404, 410):
        return Absent(text)
    if error.code in (401, 403):
        return Denied(text)
    return Refused(text) if error.code in _FOR_GOOD else ConnectionError(text)


def _conditions(known: str) -> dict[str, str]:
    name, _, value = known.partition(" ")
    headers = {"etag": "If-None-Match", "modified": "If-Modified-Since"}
    return {headers[name]: value} if name in headers else {}


def _identity(headers: Message) -> str:
    for name, header in (("etag", "ETag"), ("modified", "Last-Modified")):
        if headers[header]:
            return f"{name} {headers[header]}"
    return ""


def _extent(status: int, headers: Message) -> tuple[int, int | None]:
    """Return where the answer begins in the whole, and the length of the whole."""
    match = _CONTENT_RANGE.fullmatch(headers["Content-Range"] or "") if status == 206 else None
    if match:
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = headers["Content-Length"] or ""
    return 0, int(length) if _LENGTH.fullmatch(length) else None


def _ask_file(uri: str, known: str) -> Answer:
    import os
    from urllib.request import url2pathname

    host = urlsplit(uri).netloc
    if host not in ("", "localhost"):  # such as the first folder of file://folder/x
        raise Refused(f"{shown(uri)}: names the host {printable(host)!r}; a file of this machine is file:///path")
    try:
        file = open_plain(url2pathname(urlsplit(uri).path))
    except (FileNotFoundError, NotADirectoryError):
        raise Absent(f"{shown(uri)}: no such file") from None
    except (OSError, ValueError) as error:  # a path with a zero byte is no value
        raise Refused(f"{shown(uri)}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    status = os.fstat(file.fileno())
    return _checked(
        Answer(Stream(file.read, file.close), 0, status.st_size, f"file {status.st_mtime_ns} {status.st_size}"), known
    )


def _ask_fsspec(uri: str, start: int, known: str) -> Answer:
    try:
        import fsspec
    except ImportError as error:
        text = f"{shown(uri)}: to read this address needs fsspec: pip install 'leaven[remote]'"
        raise MissingPackageError(text, name="fsspec") from error
    try:
        system, path = fsspec.core.url_to_fs(uri)
        total = system.size(path)
        identity = _fsspec_identity(system, path, total)
        file = system.open(path, "rb")
        file.seek(start)
    except FileNotFoundError:
        raise Absent(f"{shown(uri)}: no such file") from None
    except (ImportError, ValueError) as error:  # an unknown scheme, or a package that it needs
        raise Refused(f"{shown(uri)}: cannot be read: {printable(str(error))}") from error
    except Exception as error:
        raise _passing(error) from error
    return _checked(Answer(Stream(_guarded(file.read), file.close), start, total, identity), known)


def _fsspec_identity(system: Any, path: str, total: int | None) -> str:
    """Return what the file system has to tell one content from the next; some have nothing but the time."""
    try:
        return f"fsspec {system.ukey(path)} {total}"
    except NotImplementedError:
        return ""


def _guarded(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def guarded(nbytes: int) -> bytes:
        try:
            return read(nbytes)
        except Exception as error:
            raise _passing(error) from error

    return guarded


def _passing(error: Exception) -> OSError:
    """Return an error that may go away by itself; those of http are of other types, those of fsspec of any."""
    return error if isinstance(error, OSError) else ConnectionError(f"{type(error).__name__}: {printable(str(error))}")


def _checked(answer: Answer, known: str) -> Answer:
    if known and answer.identity == known:
        answer.stream.close()
        raise Unchanged
    return answer
