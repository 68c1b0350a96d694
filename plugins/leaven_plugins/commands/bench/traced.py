"""A run of a loader that is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from leaven.cli.output import note
from leaven.errors import LeavenError
from leaven.stream.loader import TurboDataLoader
from leaven.stream.tracing import Trace
from leaven_plugins.commands.bench.measure import measure


class Recorded(NamedTuple):
    """Of a run: the share of the workers' time that each stage had, and what was counted."""

    stages: dict[str, float]
    counts: dict[str, int]


def traced(
    make: Callable[[Mapping[str, Any]], TurboDataLoader],
    seconds: float,
    path: Path | None = None,
    step: Callable[[], object] | None = None,
) -> Recorded:
    """Take batches for ``seconds``, and write the trace if there is a path for it.

    Args:
        make: returns the loader, with the arguments that it is given.
        seconds: how long.
        path: of the trace; folders above it are made.
        step: what the consumer does with each batch; nothing by default.

    Raises:
        LeavenError: it cannot be written, which is found out before the run.
    """
    trace = _SettledTrace() if step else Trace()
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        loader = make({"trace": trace})
        measure(loader, 0, seconds, memory=_unknown, step=step)
        if path is not None:
            trace.write(path)
    except OSError as error:
        raise LeavenError(f"cannot write the trace {path}: {error.strerror or error}") from error
    if trace.dropped and path is not None:
        note(f"the trace has the beginning only: {trace.dropped} further changes were not kept")
    return Recorded(trace.shares(), dict(loader.counts))


class _SettledTrace(Trace):
    """Takes in what happens from the second batch on, before which :func:`measure` lets the workers fill the room."""

    def __init__(self) -> None:
        super().__init__()
        self._settled = False

    def worker(self, number: int, pid: int, lane: int, request: int, changes: Sequence[Sequence[int]]) -> None:
        if self._settled:
            super().worker(number, pid, lane, request, changes)

    def consumer(self, name: str, began_ns: int, ended_ns: int, **args: Any) -> None:
        if self._settled:
            super().consumer(name, began_ns, ended_ns, **args)
        self._settled = self._settled or name == "step"


def _unknown() -> int | None:
    return None
