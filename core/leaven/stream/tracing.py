"""Trace: what workers and the consumer did when, for a timeline in https://ui.perfetto.dev or ``chrome://tracing``."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DatasetError
from leaven.stream.board import STAGES

_MOST = 1_000_000
"""Changes that are kept: 24 bytes each in memory, some 150 in the file, of which Perfetto opens a few 100 MB."""

_IDLE = STAGES.index("idle")
_CONSUMER = 0  # its row; those of workers follow


class _Work(NamedTuple):
    """The changes of one request: rows of (stage number, sample index or -1, ns)."""

    lane: int
    request: int
    changes: NDArray[np.int64]


class _Spell(NamedTuple):
    """A worker was in a stage, of a request and for a sample (-1: none), from ``began`` to ``ended`` (ns)."""

    lane: int
    request: int
    stage: str
    sample: int
    began: int
    ended: int


class Trace:
    """Collects what happens, in the loader's process. Times are those of ``time.monotonic_ns``.

    A stage lasts until the worker's next change. What comes last of each worker has no end yet and is left out.

    Attributes:
        dropped: changes that were not kept, since they came after the first million.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._kept = 0
        self._workers: dict[tuple[int, int], list[_Work]] = defaultdict(list)
        self._consumer: list[tuple[str, int, int, dict[str, Any]]] = []

    def worker(self, number: int, pid: int, lane: int, request: int, changes: Sequence[Sequence[int]]) -> None:
        """Take in the changes of one request, in order, as :attr:`leaven.stream.board.Line.trace` has them.

        An ``idle`` change may come at the end, or at the start of the next request's: it ends what was before it. A
        gap between requests without one counts as unknown.
        """
        try:
            rows = np.array(changes, np.int64).reshape(-1, 3)
        except OverflowError:  # what a worker says is foreign data
            rows = np.empty((0, 3), np.int64)
        if self._kept + len(rows) > _MOST or len(rows) < len(changes):
            self.dropped += len(changes)
            return
        self._kept += len(rows)
        self._workers[number, pid].append(_Work(lane, request, rows))

    def consumer(self, name: str, began_ns: int, ended_ns: int, **args: Any) -> None:
        """Take in what the consumer did, such as ``wait``; ``args`` are shown with it."""
        self._consumer.append((name, began_ns, ended_ns, args))

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the trace format: a row for the consumer and one for each worker process.

        Workers' events are stages, with the request's number and the sample's index, within one for each request.
        """
        return [*self._names(), *self._consumer_events(), *self._worker_events()]

    def shares(self) -> dict[str, float]:
        """Return the share of all workers' known time that each stage had, longest first."""
        sums: dict[str, int] = defaultdict(int)
        for works in self._workers.values():
            for spell in _spells(works):
                sums[spell.stage] += spell.ended - spell.began
        total = sum(sums.values())
        return {stage: ns / total for stage, ns in sorted(sums.items(), key=lambda each: -each[1]) if total}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the trace as a JSON file.

        Raises:
            DatasetError: it cannot be written.
        """
        content = {"traceEvents": self.events(), "displayTimeUnit": "ms"}
        try:
            Path(path).write_text(json.dumps(content, separators=(",", ":")), "utf-8")
        except OSError as error:
            raise DatasetError(f"trace {os.fspath(path)}: cannot be written: {error.strerror}") from error

    def _names(self) -> Iterator[dict[str, Any]]:
        yield _named("process_name", _CONSUMER, "leaven")
        yield _named("thread_name", _CONSUMER, "consumer")
        for row, (number, pid) in enumerate(sorted(self._workers), _CONSUMER + 1):
            yield _named("thread_name", row, f"worker {number} (pid {pid})")

    def _consumer_events(self) -> Iterator[dict[str, Any]]:
        for name, began, ended, args in list(self._consumer):
            yield _event(name, _CONSUMER, began, ended, args)

    def _worker_events(self) -> Iterator[dict[str, Any]]:
        for row, worker in enumerate(sorted(self._workers), _CONSUMER + 1):
            last: list[_Spell] = []
            for spell in _spells(self._workers[worker]):
                if last and (last[-1].lane, last[-1].request) != (spell.lane, spell.request):
                    yield _whole(last, row)
                    last = []
                if spell.stage != STAGES[_IDLE]:
                    last.append(spell)
                    args = {"request": spell.request} | ({"sample": spell.sample} if spell.sample >= 0 else {})
                    yield _event(spell.stage, row, spell.began, spell.ended, args)
            if last:
                yield _whole(last, row)


def _spells(works: Sequence[_Work]) -> Iterator[_Spell]:
    """Yield how long a worker was in which stage. A change to ``idle`` ends the last stage of the request before."""
    before: tuple[_Work, int, int, int] | None = None
    for work in list(works):
        for stage, index, began in work.changes.tolist():
            if before is not None and (before[0] is work or stage == _IDLE):
                last, last_stage, last_index, last_began = before
                name = STAGES[last_stage] if 0 <= last_stage < len(STAGES) else "?"
                yield _Spell(last.lane, last.request, name, last_index, last_began, began)
            before = work, stage, index, began


def _whole(spells: Sequence[_Spell], row: int) -> dict[str, Any]:
    first = spells[0]
    args = {"request": first.request, "lane": first.lane}
    return _event(f"request {first.request}", row, first.began, spells[-1].ended, args)


def _event(name: str, row: int, began: int, ended: int, args: dict[str, Any]) -> dict[str, Any]:
    ts, dur = began / 1000, (ended - began) / 1000
    return {"name": name, "ph": "X", "pid": os.getpid(), "tid": row, "ts": ts, "dur": dur, "args": args}


def _named(what: str, row: int, name: str) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": os.getpid(), "tid": row, "args": {"name": name}}
