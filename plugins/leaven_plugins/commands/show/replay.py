"""Replay: one sample again, exactly as the loader delivers it, or as it would be in another epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.protocols import Dataset, Worker
from leaven.stream.randomness import Streams
from leaven.stream.worker import Item, Request, single_batches
from leaven_plugins.commands.show.rows import joined


class Replay:
    """Makes single samples without a loader.

    What a worker makes of a sample depends on seed, epoch and index alone; so this is, bit by bit, the row that a
    loader of the same seed delivers, before its collators.

    Args:
        dataset: the samples.
        worker: what makes rows of them.
        seed: of the loader.
    """

    def __init__(self, dataset: Dataset, worker: Worker, seed: int) -> None:
        self.dataset = dataset
        self.worker = worker
        self.seed = seed
        self._streams = Streams(seed)
        worker.setup()

    def sample(self, epoch: int, index: int) -> dict[str, Any]:
        """Return a batch of one row: sample ``index`` of the dataset as it appears in pass ``epoch`` over it.

        Raises:
            ParameterError: there is no such sample.
            SampleError: it cannot be read, or the worker cannot use it.
        """
        return self.made(self.item(epoch, index))

    def item(self, epoch: int, index: int) -> Item:
        """Return what a worker is given; errors as for :meth:`sample`."""
        if not 0 <= index < len(self.dataset) or epoch < 0:
            most = len(self.dataset) - 1
            raise ParameterError(f"no sample {index} in epoch {epoch}: samples are 0 to {most}, epochs begin with 0")
        try:
            return Item(index, epoch, "", self.dataset.sample(index))
        except LeavenError as error:
            raise SampleError(str(error), index=index, stage="read", cause_type=type(error).__name__) from error

    def made(self, item: Item) -> dict[str, Any]:
        """Return what the worker makes of an item; errors as for :meth:`sample`."""
        arrays = {key: spec.allocate(1) for key, spec in self.worker.buffers.items()}
        result = self.worker.process(Request(0, [item], 1, arrays, self._streams))
        batches: list[Mapping[str, Any]] = [joined([batch]) for batch in single_batches(result)]
        if not batches:
            raise SampleError("the worker made no batch of it", index=item.index, stage="process")
        return joined(batches)
