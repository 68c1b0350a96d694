"""A trace: what happens to one sample, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leaven.protocols import Decoded, ImageInfo, Region
from leaven.stream.worker import Item, unpacked
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.commands.show.sample import range_text
from leaven_plugins.commands.show.watching import Event, Watch, watched_worker
from leaven_plugins.workers.image.worker import Shot

_RUNS = 5  # of which the fastest is told: the first ones warm caches up


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        stage: ``read``, ``unpack``, then those of :func:`~leaven_plugins.commands.show.watching.watched_worker`.
        output: what came out, in a few words.
        shape: of the array that came out; of an image ``(height, width, channels)``, of a row of the batch
            ``(channels, height, width)``; ``None`` where it was none.
        dtype: of that array, or ``""``.
        low: its smallest value.
        high: its largest value.
        ms: milliseconds that the step took, without the steps that it calls.
    """

    stage: str
    output: str
    shape: tuple[int, ...] | None
    dtype: str
    low: float | None
    high: float | None
    ms: float

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """Return the row of a table."""
        shape = "x".join(map(str, self.shape or ()))
        return self.stage, shape, self.dtype, range_text(self.low, self.high), f"{self.ms:.3f}", self.output


def trace(replay: Replay, epoch: int, index: int, clock: Callable[[], float] | None = None) -> list[Step]:
    """Return the steps of one sample, in the order in which they end; the fastest of several runs.

    Args:
        replay: dataset and worker.
        epoch: of the sample.
        index: of the sample.
        clock: what gives the time in seconds; by default the finest there is.

    Raises:
        ParameterError: there is no such sample.
        SampleError: it cannot be read, or the worker cannot use it.
    """
    watch = Watch(clock) if clock else Watch()
    watched = Replay(replay.dataset, watched_worker(replay.worker, watch), replay.seed)
    runs = []
    for _ in range(_RUNS):
        watch.events.clear()
        runs.append(_steps(watched, epoch, index, watch))
    return min(runs, key=lambda steps: sum(step.ms for step in steps))


def _steps(replay: Replay, epoch: int, index: int, watch: Watch) -> list[Step]:
    with watch.stage("read") as keep:
        item = keep(replay.item(epoch, index))
    with watch.stage("unpack") as keep:
        fields = keep(unpacked(item))
    replay.made(item._replace(data=fields))
    return [_step(event) for event in watch.events]


def _step(event: Event) -> Step:
    array = _array_of(event.result)
    output = f"{len(event.result)} parameters" if event.stage == "draw" else _in_words(event.result)
    if array is None:
        return Step(event.stage, output, None, "", None, None, event.seconds * 1e3)
    low, high = (float(array.min()), float(array.max())) if array.size else (None, None)
    return Step(event.stage, output, array.shape, str(array.dtype), low, high, event.seconds * 1e3)


def _array_of(result: Any) -> Any:
    if isinstance(result, Decoded):
        return result.image
    if isinstance(result, Mapping) and isinstance(result.get("image"), np.ndarray):
        return result["image"][0]  # the batch has one row
    return result if isinstance(result, np.ndarray) else None


def _in_words(result: Any) -> str:
    if isinstance(result, Item):
        size = f"{len(result.data):,} bytes" if isinstance(result.data, bytes) else "a mapping"
        return f"sample {result.index}: {size}"
    if isinstance(result, ImageInfo):
        orientation = "" if result.orientation == 1 else f", EXIF orientation {result.orientation}"
        return f"{result.height} x {result.width}, channels: {result.channels}{orientation}"
    if isinstance(result, Shot):
        region = result.request.region
        return f"needs {_part(region)}, scale {result.request.min_scale:.3g}" if region else "needs all of it"
    if isinstance(result, Decoded):
        return f"{_part(result.region)}, scale {result.scale:.3g}"
    return ", ".join(map(str, result)) if isinstance(result, Mapping) else ""


def _part(region: Region) -> str:
    return f"rows {region.top}-{region.bottom}, columns {region.left}-{region.right}"
