"""SPDL's pipeline of threads, with OpenCV."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from spdl.pipeline import PipelineBuilder  # type: ignore[import-not-found]

from .consuming import Batch
from .pictures import one_thread, picture_of
from .request import Request


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of a pipeline: pictures by threads, aggregated and stacked."""
    one_thread()
    files, of_thread = request.files, threading.local()

    def made(position: int) -> tuple[Any, int]:
        if not hasattr(of_thread, "random"):
            of_thread.random = np.random.default_rng()
        return picture_of(files[position], request.what, of_thread.random), position

    pipeline = (
        PipelineBuilder()
        .add_source(request.positions())
        .pipe(made, concurrency=request.workers)
        .aggregate(request.batch_size)
        .pipe(stacked)
        .add_sink(3)
        .build(num_threads=request.workers)
    )
    with pipeline.auto_stop():
        yield from pipeline


def stacked(pictures: list[tuple[Any, int]]) -> Batch:
    """Return one array of images, and one of labels."""
    images, labels = zip(*pictures, strict=True)
    return np.stack(images), np.array(labels)
