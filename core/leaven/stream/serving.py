"""The worker's side of the loader: it answers messages, in a process of its own or in the loader's."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import repeat
from typing import Any, Protocol

from leaven.errors import LeavenError, ProtocolError, SampleError
from leaven.protocols import Collator, Dataset
from leaven.protocols import Worker as WorkerProtocol
from leaven.stream.arena import Arena, Layout
from leaven.stream.board import Line
from leaven.stream.failpoints import failpoint
from leaven.stream.failures import described, described_all, rebuilt
from leaven.stream.making import Failure, Maker
from leaven.stream.messages import Done, Failed, Open, Ready, Shut, Work, decode, encode
from leaven.stream.randomness import Streams
from leaven.stream.substitutes import SUBSTITUTES, substitute
from leaven.stream.worker import Item

log = logging.getLogger("leaven.worker")

ROLES = {"loader": "leaven.stream.lanes:server", "tasks": "leaven.tasks.serving:server"}
"""What a lane may be for: the function ``(spec) -> Answerer`` that sets it up in a worker."""


class Answerer(Protocol):
    """What works for one lane."""

    def setup(self) -> None:
        """Open, allocate and warm up."""

    def done(self, work: Work, line: Line) -> Done:
        """Do the work, or raise."""

    def key(self, error: BaseException) -> str:
        """Return the key of the sample that an error is about, or ``""``."""


class Host:
    """One worker, which may work for several lanes.

    Args:
        line: what it says what it is on.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._lanes: dict[int, Answerer] = {}

    def open(self, lane: int, answerer: Answerer) -> None:
        """Set up, and work for a lane from now on."""
        answerer.setup()
        self._lanes[lane] = answerer

    def opened(self, lane: int, spec: Mapping[str, Any]) -> bytes:
        """Set up what ``spec`` says; return the answer to it: ready, or why not."""
        self._line.stage("start")
        try:
            module, _, name = ROLES[spec["role"]].partition(":")
            self.open(lane, getattr(import_module(module), name)(spec))
        except BaseException as error:
            return encode(Failed(lane, -1, 0, -1, [described(error)]))
        self._line.rest()
        return encode(Ready(lane, os.getpid()))

    def handle(self, message: bytes) -> Iterator[bytes]:
        """Yield the answers to one message; what is none is logged and dropped."""
        try:
            order = decode(message)
            if not isinstance(order, Work | Open | Shut):
                raise ProtocolError(f"a worker is not told {type(order).__name__.lower()!r}")
            if isinstance(order, Work) and order.lane not in self._lanes:
                raise ProtocolError(f"there is no lane {order.lane}")
        except ProtocolError as error:
            log.warning("a message was dropped: %s", error)
            return
        if isinstance(order, Open):
            yield self.opened(order.lane, order.spec)
        elif isinstance(order, Shut):
            self._lanes.pop(order.lane, None)
        else:
            yield from self._answers(order)

    def _answers(self, work: Work) -> Iterator[bytes]:
        line, answerer = self._line, self._lanes[work.lane]
        line.begin(work.lane, work.number)
        failpoint("worker.received")
        try:
            answer = encode(answerer.done(work, line))
        except BaseException as error:  # user's code must not end whatever runs it
            if isinstance(error, KeyboardInterrupt) and _is_consumer():
                raise
            errors = described_all(error, answerer.key(error))
            answer = encode(Failed(work.lane, work.number, work.attempt, work.slot, errors))
        failpoint("worker.before_ack")
        yield answer
        failpoint("worker.after_ack")
        line.end()


def _is_consumer() -> bool:
    """Return whether the consumer works here himself: then Ctrl-C is his."""
    return threading.current_thread() is threading.main_thread() and "LEAVEN_WORKER" not in os.environ


@dataclass(frozen=True)
class Policy:
    """How a lane's batches are to be made.

    ``tolerance`` of failing samples: ``raise``, ``skip`` or ``replace``; ``mask``: batches say which rows are valid;
    ``trace``: answers say what the worker was on, and when.
    """

    tolerance: str = "raise"
    mask: bool = False
    trace: bool = False


class Server:
    """Makes the batches of one loader.

    Args:
        worker: what turns samples into rows.
        collators: what changes batches, in this order.
        dataset: what it reads samples from; ``None`` where they come with the messages.
        layout: where a batch's arrays lie.
        arena: the shared slots; ``None`` where arrays travel in the answers.
        seed: of the loader.
        policy: how batches are to be made.
    """

    def __init__(
        self,
        worker: WorkerProtocol,
        collators: Sequence[Collator],
        dataset: Dataset | None,
        layout: Layout,
        arena: Arena | None,
        seed: int,
        policy: Policy,
    ) -> None:
        self._worker = worker
        self._collators = collators
        self._dataset = dataset
        self._layout = layout
        self._arena = arena
        self._streams = Streams(seed)
        self._policy = policy
        self._read = _nowhere if dataset is None else dataset.sample

    def setup(self) -> None:
        """Set the worker up."""
        self._worker.setup()

    def done(self, work: Work, line: Line) -> Done:
        """Make the batch.

        Raises:
            SampleError: a sample cannot be made, and that is not tolerated.
        """
        if self._policy.trace and line.trace is None:
            line.trace = []
        shared = self._slot(work)
        arrays = self._layout.empty(work.rows) if shared is None else shared
        failed = {row: _rejected(fields) for row, fields in work.rejected if row >= 0}
        poison = {fields["index"] for row, fields in work.rejected if row < 0}
        contents = repeat(None) if work.items is None else work.items
        items = list(map(Item._make, zip(work.indices, work.epochs, repeat(""), contents)))
        substitute = partial(self._substitute, _choices(work), poison)
        maker = Maker(self._worker, self._layout, self._streams, self._policy.tolerance, line, self._read, substitute)
        made = maker.make(work.position, work.rows, items, failed, arrays)
        line.stage("collate")
        if not isinstance(made.result, dict):
            in_slot: list[str] = []
            batches = [self._collated(batch, work.position) for batch in made.result]
        else:
            batch = self._collated(made.result, work.position)
            in_slot = [key for key, value in batch.items() if shared and value is shared.get(key)]
            batches = [{key: value for key, value in batch.items() if key not in in_slot}]
        failures = [self._told(failure) for failure in made.failures]
        line.stage("answer")
        place = (work.lane, work.number, work.attempt, work.slot)
        return Done(*place, in_slot, batches, failures, _taken(line), _tallied(self._worker))

    def key(self, error: BaseException) -> str:
        """Return the dataset's key of the sample that an error is about."""
        index = error.index if isinstance(error, SampleError) else None
        if self._dataset is None or index is None:
            return ""
        try:
            return self._dataset.key(index)
        except Exception:  # the sample's own error is the one to tell
            return ""

    def _slot(self, work: Work) -> dict[str, Any] | None:
        if self._arena is None or work.slot < 0:
            return None
        return self._layout.filled(self._arena.slot(work.slot), work.rows)

    def _substitute(
        self,
        given: Mapping[int, Sequence[Sequence[Any]]] | None,
        poison: Set[int],
        row: int,
        failing: Item,
        whole: Sequence[Item],
        attempt: int,
    ) -> Item | None:
        """Return what to try in the place of a failing sample, as drawn from its cell, if it is here."""
        epoch = failing.epoch
        if self._dataset is not None:
            index = substitute(self._streams, epoch, failing.index, attempt, len(self._dataset))
            if index in poison:
                return None
            try:
                return Item(index, epoch, "", self._dataset.sample(index))
            except Exception:  # another one is tried
                return None
        if given is None:
            place = substitute(self._streams, epoch, failing.index, attempt, len(whole))
            return whole[place] if whole else None
        index, data = given[row][attempt] if row in given else (0, b"")
        return Item(index, epoch, "", data) if data and index not in poison else None

    def _collated(self, batch: Mapping[str, Any], position: int) -> Mapping[str, Any]:
        for place, collator in enumerate(self._collators):
            batch = collator.collate(dict(batch), self._streams.at(f"collator {place}", 0, position))
        return batch

    def _told(self, failure: Failure) -> list[Any]:
        fields = described(failure.error, self.key(failure.error))
        return [failure.row, {**fields, "substitute": failure.substitute}]


def _tallied(worker: Any) -> dict[str, int]:
    tally = getattr(worker, "tally", None)
    counts = tally() if callable(tally) else None
    return {str(name): int(times) for name, times in counts.items()} if isinstance(counts, Mapping) else {}


def _nowhere(index: int) -> bytes:
    raise LeavenError("the sample did not come with the request, and there is no dataset to read it from")


def _choices(work: Work) -> dict[int, Sequence[Sequence[Any]]] | None:
    if work.substitutes is None:
        return None
    return {row: choice for row, choice in work.substitutes if len(choice) == SUBSTITUTES}


def _taken(line: Line) -> list[tuple[int, int, int]]:
    """Return what the worker was on since the last answer."""
    if line.trace is None:
        return []
    changes, line.trace = line.trace, []
    return changes


def _rejected(fields: Mapping[str, Any]) -> SampleError:
    error = rebuilt(0, fields)
    return error if isinstance(error, SampleError) else SampleError(str(error))
