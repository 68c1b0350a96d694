"""Measuring a loader from the consumer's side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from leaven.errors import DatasetError
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.commands.bench.memory import tree_pss
from leaven_plugins.commands.bench.processor import Stopwatch

_FILLING = 2.0  # seconds at most for the workers to make all the batches that there is room for
_LOOKS = 5  # at the memory, in each run: one takes some ms, in which nothing is taken from the loader


@dataclass(frozen=True)
class Measurement:
    """What one run gave.

    Attributes:
        workers: number of workers.
        batches: iterations after the first, which are those that were measured.
        images: samples in these.
        images_per_second: samples per second, without the time to start up.
        first_batch_seconds: from the start of the workers to the first batch.
        wait_share: share of the time after it, 0 to 1, in which the consumer waited for a batch.
        peak_pss_mb: most memory seen, of this process and all its children, in 10**6 bytes; pages that several of them
            share count once. ``None`` where the system does not tell.
        processor_share: share of the time, 0 to 1, in which threads of this process that could run did; for the rest
            they waited for a core. Those are the consumer's, and workers that are threads.
    """

    workers: int
    batches: int
    images: int
    images_per_second: float
    first_batch_seconds: float
    wait_share: float
    peak_pss_mb: float | None
    processor_share: float

    @property
    def batch_seconds(self) -> float:
        """From one batch to the next; infinite where there was none."""
        rate = self.images_per_second
        return self.images / self.batches / rate if self.batches and rate else float("inf")

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)


def measure(
    loader: TurboDataLoader,
    workers: int,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
    memory: Callable[[], int | None] = tree_pss,
    step: Callable[[], object] | None = None,
) -> Measurement:
    """Take batches for ``seconds`` after the first, over as many epochs as it takes.

    Args:
        loader: not started yet; it is closed at the end.
        workers: how many it has.
        seconds: how long.
        clock: what gives the time in seconds.
        memory: what gives the memory in use in bytes.
        step: what the consumer does with each batch; nothing by default. Workers that are faster than it have made all
            the batches that there is room for before it begins, as they will have most of the time.

    Raises:
        DatasetError: there are no samples.
    """
    began = clock()
    with loader:
        stream = _rows_of_batches(loader)
        if not next(stream, 0):
            raise DatasetError("there are no samples to measure the loader with")
        first = clock() - began
        peak = memory()
        if step is not None:
            _fill(loader)
        waited, start, looking = loader.wait_seconds, clock(), 0.0
        processor = Stopwatch()
        batches = images = looks = 0
        while (spent := clock() - start - looking) < seconds:
            rows = next(stream, 0)
            if not rows:
                break
            images += rows
            batches += 1
            if step is not None:
                step()
            if spent > looks * seconds / _LOOKS:
                before = clock()
                peak = max(filter(None, (peak, memory())), default=None)
                looking += clock() - before
                looks += 1
        waited = loader.wait_seconds - waited
        share = processor.share()
    return Measurement(
        workers=workers,
        batches=batches,
        images=images,
        images_per_second=images / spent,
        first_batch_seconds=first,
        wait_share=min(1.0, waited / spent),
        peak_pss_mb=None if peak is None else peak / 1e6,
        processor_share=share,
    )


def spinning(seconds: float) -> Callable[[], object] | None:
    """Return a step that computes in Python, and so holds the interpreter's lock; ``None`` for one of no time."""

    def spin() -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    return spin if seconds > 0 else None


def _fill(loader: TurboDataLoader) -> None:
    """Wait until all workers rest."""
    end, before = time.monotonic() + _FILLING, -1
    while time.monotonic() < end:
        workers = loader.workers()
        done = sum(doing.done for doing in workers)
        if done == before and all(doing.stage == "idle" for doing in workers):
            return
        before = done
        time.sleep(0.01)


def _rows_of_batches(loader: TurboDataLoader) -> Iterator[int]:
    """Yield the number of samples in each iteration, epoch after epoch, until one is empty."""
    empty = False
    while not empty:
        empty = True
        for _, mini_batches in loader:
            empty = False
            yield sum(len(next(iter(sample.values()))) for sample in mini_batches)
