"""The baseline: PyTorch's DataLoader over files, with OpenCV."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, get_worker_info

from .consuming import Batch
from .pictures import one_thread, picture_of
from .request import Request
from .torch_batches import batches_of


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of worker processes, collated as by default."""
    return batches_of(Pictures(request), request, settle)


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Images and labels by position."""

    def __init__(self, request: Request) -> None:
        self.random = np.random.default_rng(request.seed)
        self._files = request.files
        self._work = request.what

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(picture_of(self._files[position], self._work, self.random)), position


def settle(worker: int) -> None:
    """Set OpenCV and chance up in a worker's process."""
    one_thread()
    cv2.setRNGSeed(worker + 1)
    info = get_worker_info()
    if info is not None and isinstance(info.dataset, Pictures):
        info.dataset.random = np.random.default_rng(info.seed)
