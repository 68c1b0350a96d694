"""Blocks as another process is told of them: what is to be done, and what came of it, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leaven.errors import LeavenError, SampleError, TaskError
from leaven.protocols import Job
from leaven.stream.failures import described, rebuilt
from leaven.tasks import values


def packed_job(job: Job) -> bytes:
    """Return what another process makes the same job of.

    Raises:
        RecipeError: that cannot be done; the text has the path of what is in the way.
    """
    return values.pack({"job": job})


def unpacked_job(data: bytes) -> Job:
    """Return the job that :func:`packed_job` took."""
    job: Job = values.unpack(data)["job"]
    return job


def outcome_of(job: Job, block: int, folder: str) -> dict[str, Any]:
    """Do a block, and return what came of it as plain data: a ``manifest``, or an ``error``."""
    try:
        return {"manifest": dict(job.run(block, Path(folder)))}
    except Exception as error:
        return {"error": described(error)}


def manifest_of(block: int, outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the manifest of a block, or raise what went wrong, with a note that tells the block.

    Raises:
        SampleError: a sample of the block failed.
        TaskError: the block failed otherwise.
    """
    fields = outcome.get("error")
    if fields is None:
        manifest: Mapping[str, Any] = outcome["manifest"]
        return manifest
    error: LeavenError = rebuilt(block, fields)
    if not isinstance(error, SampleError):
        told = TaskError(f"block {block}: {fields['cause_type']}: {fields['message']}")
        told.__cause__ = error.__cause__
        raise told
    error.add_note(f"in block {block}")
    raise error
