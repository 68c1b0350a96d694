"""A run of a loader that is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from leaven.cli.output import note
from leaven.errors import LeavenError
from leaven.stream.loader import TurboDataLoader
from leaven.stream.tracing import Trace
from leaven_plugins.commands.bench.measure import measure


def traced(make: Callable[[Mapping[str, Any]], TurboDataLoader], seconds: float, path: Path) -> dict[str, float]:
    """Take batches for ``seconds``, write the trace, and return the share of the workers' time that each stage had.

    Args:
        make: returns the loader, with the arguments that it is given.
        seconds: how long.
        path: of the trace; folders above it are made.

    Raises:
        LeavenError: it cannot be written, which is found out before the run.
    """
    trace = Trace()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        measure(make({"trace": trace}), 0, seconds)
        trace.write(path)
    except OSError as error:
        raise LeavenError(f"cannot write the trace {path}: {error.strerror or error}") from error
    if trace.dropped:
        note(f"the trace has the beginning only: {trace.dropped} further changes were not kept")
    return trace.shares()
