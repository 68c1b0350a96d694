"""Running jobs: the blocks of a job, by an engine that may be given by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaven.protocols import Engine, Job
    from leaven.registry.registry import Registry


def run_job(
    job: Job,
    blocks: Sequence[int],
    folder: Path,
    engine: Engine | str | Mapping[str, Any] | None = None,
    workers: int | None = None,
    registry: Registry | None = None,
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield block and manifest of each of these blocks of a job, as they are done.

    Args:
        job: the work.
        blocks: numbers of blocks.
        folder: where blocks leave their files; it exists.
        engine: name, table or instance; by default ``local``, processes of this machine.
        workers: how many blocks are done at a time, for an engine that is given by name.
        registry: where names are looked up; by default :func:`leaven.default_registry`.

    Raises:
        LeavenError: what a block raises, or what the engine does where it cannot have blocks done.
    """
    results = iter(engine_of(engine, workers, registry).run(job, blocks, folder))
    try:
        yield from results
    finally:
        close = getattr(results, "close", None)  # a generator ends what it has started
        if close is not None:
            close()


def engine_of(
    engine: Engine | str | Mapping[str, Any] | None = None, workers: int | None = None, registry: Registry | None = None
) -> Engine:
    """Return the engine that is meant; arguments as for :func:`run_job`."""
    if registry is None:
        from leaven.registry.registry import default_registry

        registry = default_registry()
    params = {} if workers is None else {"workers": workers}
    made: Engine = registry.create("local" if engine is None else engine, kind="engine", **params)
    return made
