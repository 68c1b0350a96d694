"""Exceptions that cross from a worker: of the same type where this process knows it, else told by a TaskError."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from typing import Any

from leaven.errors import TaskError, printable, text_of
from leaven.registry.references import Reference
from leaven.stream.failures import RemoteError
from leaven.tasks import functions, values

_MAX_TEXT = 16_000
_ENDS_LOOPS = (StopIteration, StopAsyncIteration, GeneratorExit)


def told(error: BaseException) -> dict[str, Any]:
    """Return an exception as fields of plain data."""
    kind = type(error)
    try:
        arguments = values.pack({"args": list(error.__reduce__()[1])})  # a file's name is not among its ``args``
    except Exception:  # foreign code, or nothing to hand over: then its text is what there is to tell
        arguments = b""
    return {
        "type": f"{kind.__module__}:{kind.__qualname__}",
        "name": kind.__name__,
        "arguments": arguments,
        "message": _text(text_of(error)),
        "traceback": _text(_traceback(error)),
        "pid": os.getpid(),
    }


def retold(fields: Mapping[str, Any]) -> Exception:
    """Return the exception that a worker told of; its ``__cause__`` has the traceback there."""
    error = _same(fields) or TaskError(f"{printable(fields['name'], 80)}: {_lines(fields['message'])}")
    error.__cause__ = RemoteError(f"in worker process {fields['pid']}:\n{_lines(fields['traceback'])}")
    return error


def harmless(error: BaseException) -> Exception:
    """Return an exception of a function as one that can be raised anywhere: it ends neither a loop nor the program."""
    if isinstance(error, Exception) and not isinstance(error, _ENDS_LOOPS):
        return error
    raised = TaskError(f"{type(error).__name__}: {text_of(error)}")
    raised.__cause__ = error
    return raised


def _same(fields: Mapping[str, Any]) -> Exception | None:
    """Return an exception of the same type and text, where that can be made."""
    try:
        kind = functions.imported(Reference(fields["type"]))
        if not (isinstance(kind, type) and issubclass(kind, Exception)) or issubclass(kind, _ENDS_LOOPS):
            return None
        made = kind(*values.unpack(fields["arguments"], answer=True)["args"])
        return made if type(made) is kind and str(made) == fields["message"] else None
    except Exception:  # a constructor that wants something else than what it kept
        return None


def _lines(text: str) -> str:
    return "\n".join(printable(line, _MAX_TEXT) for line in text.splitlines())


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception as failed:  # an exception's attributes are foreign code
        return f"(no traceback can be had: {type(failed).__name__})"


def _text(text: str) -> str:
    return text[-_MAX_TEXT:].encode("utf-8", "backslashreplace").decode()
