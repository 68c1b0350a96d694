"""Grain: a map dataset read by threads, with OpenCV."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grain  # type: ignore[import-not-found]
import numpy as np

from .consuming import Batch
from .pictures import one_thread, picture_of
from .request import Request


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of a shuffled and repeated dataset."""
    one_thread()

    def made(position: int, random: np.random.Generator) -> tuple[Any, int]:
        return picture_of(files[position], request.what, random), position

    files = request.files
    dataset = grain.MapDataset.range(request.count).seed(request.seed).shuffle().repeat().random_map(made)
    options = grain.ReadOptions(num_threads=request.workers)
    yield from dataset.to_iter_dataset(options).batch(request.batch_size)
