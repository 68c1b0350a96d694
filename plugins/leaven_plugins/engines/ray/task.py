"""What a process of Ray runs: bytes in, bytes out; it refers to leaven by name alone."""

from __future__ import annotations

import os
from contextlib import suppress

from leaven.protocols import Job
from leaven.stream.wire import pack
from leaven_plugins.engines.blocks import outcome_of, unpacked_job

_made: dict[bytes, Job] = {}


def run_packed(job: bytes, block: int, folder: str, cwd: str) -> bytes:
    """Do a block of a packed job, and return what came of it, packed.

    Args:
        job: what to make the job of; the last one that was made here is kept.
        block: the number of the block.
        folder: where its files go.
        cwd: what relative paths are relative to.
    """
    with suppress(OSError):
        os.chdir(cwd)
    if job not in _made:
        _made.clear()
        _made[job] = unpacked_job(job)
    return pack(outcome_of(_made[job], block, folder))
