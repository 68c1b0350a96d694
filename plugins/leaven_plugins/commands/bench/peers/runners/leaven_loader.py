"""Leaven's loader over a packed dataset, with labels, the handling of errors and a fixed order, as by default."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

import sys
from collections.abc import Iterator

from leaven import TurboDataLoader

from ..works import leaven_worker
from .consuming import Batch
from .pictures import one_thread
from .request import Request


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of workers, which are processes or threads as the option ``transport`` says.

    Raises:
        RuntimeError: something has imported torch, which would count as leaven's memory.
    """
    one_thread()  # for workers that are threads; processes do so themselves
    with TurboDataLoader(
        {"use": "dataset:msgpack", "path": request.options["dataset"]},
        request.batch_size,
        leaven_worker(request.what),
        nworkers=request.workers,
        transport=request.options["transport"],
        shuffle=True,
        endless=True,
        seed=request.seed,
    ) as loader:
        for _, (sample,) in loader:
            yield sample["image"], sample["label"]
            if "torch" in sys.modules:
                raise RuntimeError("torch was imported")
