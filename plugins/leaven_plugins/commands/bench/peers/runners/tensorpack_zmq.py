"""Tensorpack's processes that send batches through ZeroMQ, with OpenCV."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from tensorpack.dataflow import BatchData, MultiProcessRunnerZMQ, RNGDataFlow  # type: ignore[import-not-found]

from .consuming import Batch
from .pictures import one_thread, picture_of
from .request import Request


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of worker processes."""
    flow = MultiProcessRunnerZMQ(BatchData(Pictures(request), request.batch_size), request.workers)
    flow.reset_state()
    while True:  # it stops after as many batches as the data have, though its processes go on
        for images, labels in flow:
            yield np.asarray(images), np.asarray(labels)


class Pictures(RNGDataFlow):  # type: ignore[misc]
    """Images and labels without end, in an order of its own for each process."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __len__(self) -> int:
        return self._request.count

    def __iter__(self) -> Iterator[list[Any]]:
        one_thread()
        files, random = self._request.files, np.random.default_rng(self.rng.randint(2**31))
        while True:
            for position in random.permutation(len(files)).tolist():
                yield [picture_of(files[position], self._request.what, random), position]
