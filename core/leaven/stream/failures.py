"""Errors that cross from a worker to the loader: as fields of text, never as objects."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from leaven.errors import LeavenError, PoisonError, SampleError, SampleErrors, WorkerError, printable, text_of

_MAX_TRACEBACK = 16_000


class RemoteError(LeavenError):
    """The traceback of an error in a worker, as text. It is the ``__cause__`` of what is raised in its place."""


def described_all(error: BaseException, key: str = "") -> list[dict[str, Any]]:
    """Return the fields of an error, or of each of those that a :class:`~leaven.errors.SampleErrors` is of."""
    if not isinstance(error, SampleErrors):
        return [described(error, key)]
    first, *others = (described(one) for one in error.exceptions)
    return [{**first, "count": error.count}, *others]


def described(error: BaseException, key: str = "") -> dict[str, Any]:
    """Return the error as fields; ``key`` is that of the sample where the error does not know it."""
    fields: dict[str, Any] = {
        "sample": isinstance(error, SampleError),
        "message": text_of(error),
        "index": None,
        "key": key,
        "stage": "",
        "cause_type": type(error).__name__,
        "remote_traceback": _trace(error),
    }
    if isinstance(error, SampleError):
        fields |= {
            "message": error.message,
            "index": error.index,
            "key": error.key or key,
            "stage": error.stage,
            "cause_type": error.cause_type,
        }
    if isinstance(error, PoisonError):
        fields["kills"] = error.kills
    return {name: _encodable(value) if isinstance(value, str) else value for name, value in fields.items()}


def rebuilt_all(worker: int, errors: Sequence[Mapping[str, Any]], doing: str = "") -> LeavenError:
    """Return the one error that worker ``worker`` described, or the group of several samples' errors."""
    made = [rebuilt(worker, fields, doing) for fields in errors]
    samples = [error for error in made if isinstance(error, SampleError)]
    if not made:
        return WorkerError(f"worker {worker}{doing}: failed, and did not say why")
    if len(samples) < len(made):  # the worker's own failure is the one to tell
        return next(error for error in made if not isinstance(error, SampleError))
    return samples[0] if len(samples) == 1 else SampleErrors(samples, _number(errors[0], "count"))


def rebuilt(worker: int, fields: Mapping[str, Any], doing: str = "") -> LeavenError:
    """Return the error that worker ``worker`` described: a SampleError, or a WorkerError that names the worker."""
    remote = "\n".join(printable(line, _MAX_TRACEBACK) for line in str(fields["remote_traceback"]).splitlines())
    if not fields["sample"]:
        error: LeavenError = WorkerError(f"worker {worker}{doing}: {fields['cause_type']}: {fields['message']}")
    else:
        error = _sample_error(fields, remote)
    error.__cause__ = RemoteError(f"in worker {worker}:\n{remote}")
    return error


def _sample_error(fields: Mapping[str, Any], remote: str) -> SampleError:
    names = {name: fields[name] for name in ("index", "key", "stage")}
    kills = _number(fields, "kills")
    if kills:
        return PoisonError(kills, fields["cause_type"], remote, **names)
    return SampleError(fields["message"], cause_type=fields["cause_type"], remote_traceback=remote, **names)


def _number(fields: Mapping[str, Any], name: str) -> int:
    """Return a field that need not be there: another host may have sent anything in its place."""
    value = fields.get(name)
    return value if type(value) is int and value > 0 else 0


def _trace(error: BaseException) -> str:
    """Return what is to be read of where it happened; an error that came from elsewhere has its text already."""
    if isinstance(error, SampleError) and error.remote_traceback:
        return error.remote_traceback[-_MAX_TRACEBACK:]
    return "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:]


def _encodable(text: str) -> str:
    """File names may hold what no text can."""
    return text.encode("utf-8", "backslashreplace").decode()
