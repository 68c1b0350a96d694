"""Server: the worker's side of the loader. It answers messages, in a child process or in the loader's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from leaven.errors import ProtocolError, SampleError
from leaven.protocols import Collator, Dataset
from leaven.protocols import Worker as WorkerProtocol
from leaven.stream.arena import Arena, Layout
from leaven.stream.failures import described
from leaven.stream.messages import Done, Failed, Work, decode, encode
from leaven.stream.randomness import Streams
from leaven.stream.worker import Item, Request, single_batches


class Server:
    """Answers one worker's messages.

    Args:
        worker: what turns samples into rows.
        collators: what changes batches, in this order.
        dataset: what it reads samples from; ``None`` where they come with the messages.
        layout: where a batch's arrays lie.
        arena: the shared slots; ``None`` where arrays travel in the answers.
        seed: of the loader.
        line: the worker's line of the arena; its first word is 1 + the number of the request that it is on, the second
            the index of the sample, so that the loader knows what a worker was doing when it died.
    """

    def __init__(
        self,
        worker: WorkerProtocol,
        collators: Sequence[Collator],
        dataset: Dataset | None,
        layout: Layout,
        arena: Arena | None,
        seed: int,
        line: Any,
    ) -> None:
        self._worker = worker
        self._collators = collators
        self._dataset = dataset
        self._layout = layout
        self._arena = arena
        self._streams = Streams(seed)
        self._line = line

    def setup(self) -> None:
        """Set the worker up."""
        self._worker.setup()

    def handle(self, message: bytes) -> Iterator[bytes]:
        """Yield the answer to one message."""
        work = decode(message)
        if not isinstance(work, Work):
            raise ProtocolError("a worker is told to work or to stop, nothing else")
        self._line[0] = work.number + 1
        try:
            yield encode(self._done(work))
        except (Exception, SystemExit) as error:  # user's code must not end whatever runs it
            index = error.index if isinstance(error, SampleError) else None
            yield encode(Failed(work.number, work.attempt, work.slot, described(error, self._key(index))))
        self._line[0] = 0

    def _done(self, work: Work) -> Done:
        rows = len(work.indices)
        if self._arena is None or work.slot < 0:
            arrays = {key: spec.allocate(rows) for key, (_, spec) in self._layout.fields.items()}
            shared: Mapping[str, Any] = {}
        else:
            arrays = self._layout.filled(self._arena.slot(work.slot), rows)
            shared = arrays
        request = Request(work.position, self._items(work), rows, arrays, self._streams, self._started)
        result = self._worker.process(request)
        if not isinstance(result, Mapping):
            batches = [self._collated(_copied(batch), work.position) for batch in single_batches(result)]
            return Done(work.number, work.attempt, work.slot, [], batches)
        batch = self._collated(result, work.position)
        in_slot = [key for key, value in batch.items() if key in shared and value is shared[key]]
        rest = {key: value for key, value in batch.items() if key not in in_slot}
        return Done(work.number, work.attempt, work.slot, in_slot, [rest])

    def _collated(self, batch: Mapping[str, Any], position: int) -> Mapping[str, Any]:
        for place, collator in enumerate(self._collators):
            batch = collator.collate(dict(batch), self._streams.at(f"collator {place}", 0, position))
        return batch

    def _items(self, work: Work) -> Iterator[Item]:
        for position, (epoch, index) in enumerate(zip(work.epochs, work.indices, strict=True)):
            self._started(index)
            yield Item(index, epoch, "", self._content(index) if work.items is None else work.items[position])

    def _started(self, index: int) -> None:
        self._line[1] = index

    def _content(self, index: int) -> bytes | Mapping[str, Any]:
        assert self._dataset is not None
        try:
            return self._dataset.sample(index)
        except Exception as error:
            raise SampleError(str(error), index=index, stage="read", cause_type=type(error).__name__) from error

    def _key(self, index: int | None) -> str:
        if self._dataset is None or index is None:
            return ""
        try:
            return self._dataset.key(index)
        except Exception:  # the sample's own error is the one to tell
            return ""


def _copied(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Batches that follow each other may be made in the same arrays."""
    return {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in batch.items()}
