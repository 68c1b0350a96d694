"""Turboloader over a tar archive, with operations of its own."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import turboloader  # type: ignore[import-not-found]

from ..works import MIRROR, SIZE
from .consuming import Batch
from .request import Request


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of its fast path, which gives float32."""
    loader = turboloader.DataLoader(
        str(Path(request.corpus, "images.tar")),
        batch_size=request.batch_size,
        num_workers=request.workers,
        shuffle=True,
        seed=request.seed,
        image_size=SIZE,
        output_format="numpy_chw",
        train_aug=True,
        hflip_prob=MIRROR,
        drop_last=request.count >= request.batch_size,
    )
    epoch = 0
    while True:
        loader.set_epoch(epoch)
        for images, about in loader:
            yield images, np.asarray(about["indices"])
        epoch += 1
