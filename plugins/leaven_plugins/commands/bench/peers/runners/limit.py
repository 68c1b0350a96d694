"""The limit of one core: the work alone, in a loop, without any loader."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .consuming import Batch
from .pictures import one_thread, picture_of
from .request import Request


def batches(request: Request) -> Iterator[Batch]:
    """Yield one image after the other, made by one thread."""
    one_thread()
    files, random = request.files, np.random.default_rng(request.seed)
    for position in request.positions():
        yield picture_of(files[position], request.what, random)[None], np.array([position])
