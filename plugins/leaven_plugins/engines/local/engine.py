"""LocalEngine: the blocks of a job by processes of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from leaven.errors import ParameterError, TaskError
from leaven.protocols import Job
from leaven.tasks.pools import WorkerProcessPool
from leaven.tasks.streams import WorkStream
from leaven_plugins.engines.blocks import manifest_of, outcome_of


class LocalEngine:
    """Processes that do the blocks of a job, which are ended when all are done, or at the first error.

    A process that dies is replaced, and its block done again; a block that kills three of them is an error.

    Args:
        workers: how many processes; by default one for each processor.

    Raises:
        ParameterError: ``workers`` is not at least 1.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and (type(workers) is not int or workers < 1):
            raise ParameterError(f"workers={workers!r}: expected a whole number, at least 1, or None")
        self.workers = workers

    def run(self, job: Job, blocks: Sequence[int], folder: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield block and manifest in the order of ``blocks``.

        Raises:
            RecipeError: the job cannot be handed to another process.
            SampleError: a sample failed; a note of the error has the block.
            TaskError: a block failed otherwise, or killed one process after the other.
        """
        if not blocks:
            return
        count = min(self.workers or len(os.sched_getaffinity(0)), len(blocks))
        with WorkerProcessPool(count) as pool:
            shared = pool.shared_constant(job)  # made once by each process, which keeps its files open
            tasks = ((outcome_of, (shared, block, os.fspath(folder))) for block in blocks)
            with pool.work_stream(tasks, 4 * count) as outcomes:
                for block in blocks:
                    yield block, manifest_of(block, _retrieved(outcomes, block))


def _retrieved(outcomes: WorkStream, block: int) -> Mapping[str, Any]:
    try:
        outcome: Mapping[str, Any] = outcomes.retrieve()
        return outcome
    except TaskError as error:
        raise TaskError(f"block {block}: {error}") from error
