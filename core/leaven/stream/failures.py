"""Errors that cross from a worker to the loader: as fields of text, never as objects."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from leaven.errors import LeavenError, SampleError, WorkerError

_MAX_TRACEBACK = 16_000


class RemoteError(LeavenError):
    """The traceback of an error in a worker, as text. It is the ``__cause__`` of what is raised in its place."""


def described(error: BaseException, key: str = "") -> dict[str, Any]:
    """Return the error as fields; ``key`` is that of the sample where the error does not know it."""
    fields: dict[str, Any] = {
        "sample": isinstance(error, SampleError),
        "message": str(error),
        "index": None,
        "key": key,
        "stage": "",
        "cause_type": type(error).__name__,
        "remote_traceback": "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:],
    }
    if isinstance(error, SampleError):
        fields |= {
            "message": error.message,
            "index": error.index,
            "key": error.key or key,
            "stage": error.stage,
            "cause_type": error.cause_type,
        }
    return {name: _encodable(value) if isinstance(value, str) else value for name, value in fields.items()}


def _encodable(text: str) -> str:
    """File names may hold what no text can."""
    return text.encode("utf-8", "backslashreplace").decode()


def rebuilt(worker: int, fields: Mapping[str, Any], doing: str = "") -> LeavenError:
    """Return the error that worker ``worker`` described: a SampleError, or a WorkerError that names the worker."""
    remote = str(fields["remote_traceback"])
    if fields["sample"]:
        names = ("index", "key", "stage", "cause_type")
        error: LeavenError = SampleError(
            fields["message"], remote_traceback=remote, **{name: fields[name] for name in names}
        )
    else:
        error = WorkerError(f"worker {worker}{doing}: {fields['cause_type']}: {fields['message']}")
    error.__cause__ = RemoteError(f"in worker {worker}:\n{remote}")
    return error
