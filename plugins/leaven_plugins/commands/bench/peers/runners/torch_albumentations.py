"""PyTorch's DataLoader over files, with albumentations."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import albumentations as A  # type: ignore[import-not-found]  # noqa: N812 - as everybody calls it
import numpy as np
import torch
from torch.utils.data import Dataset

from ..works import AREA, BLUR, BRIGHTNESS, CHANCE, COLOR, CONTRAST, MIRROR, NOISE, RATIO, SHORTEST, SIZE, Work
from .consuming import Batch
from .pictures import decoded, one_thread
from .request import Request
from .torch_batches import batches_of


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of worker processes, collated as by default."""
    return batches_of(Pictures(request), request, settle)


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Images and labels by position."""

    def __init__(self, request: Request) -> None:
        self._files = request.files
        self._transform = transform_for(request.what)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int]:
        image = decoded(np.fromfile(self._files[position], np.uint8))
        return self._transform(image=image)["image"], position


def transform_for(work: Work) -> Any:
    """Return albumentations' own operations for a work.

    Brightness, contrast, colour and noise have its own curves and distributions, with the probabilities and about the
    strengths of the others; each is an operation of its own. Images are resized linearly, as it does by default: those
    for validation are not antialiased.
    """
    if not work.random:
        return A.Compose([A.SmallestMaxSize(SHORTEST), A.CenterCrop(SIZE, SIZE), A.ToTensorV2()])
    steps = [A.RandomResizedCrop((SIZE, SIZE), scale=AREA, ratio=RATIO), A.HorizontalFlip(p=MIRROR)]
    if work.pixels:
        shift = tuple(255 * limit / 2 for limit in COLOR)
        steps += [
            A.RandomBrightnessContrast(brightness_limit=BRIGHTNESS, contrast_limit=0, p=CHANCE),
            A.RandomBrightnessContrast(brightness_limit=0, contrast_limit=CONTRAST, p=CHANCE),
            A.RGBShift(shift, shift, shift, p=CHANCE),
            A.GaussNoise(std_range=tuple(level / 255 for level in NOISE), p=CHANCE),
            A.GaussianBlur(blur_limit=0, sigma_limit=BLUR, p=CHANCE),
        ]
    return A.Compose([*steps, A.ToTensorV2()])


def settle(worker: int) -> None:
    """Set OpenCV up in a worker's process."""
    one_thread()
