"""DALI on the CPU, with operations of its own."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from nvidia.dali import fn, pipeline_def, types  # type: ignore[import-not-found]

from ..works import AREA, BLUR, BRIGHTNESS, CHANCE, COLOR, CONTRAST, MIRROR, NOISE, RATIO, SHORTEST, SIZE, TRIES, Work
from .consuming import Batch
from .request import Request

_SHUFFLED = 256  # images that are read ahead; more of those of 12 megapixels would need gigabytes


def batches(request: Request) -> Iterator[Batch]:
    """Yield batches of a pipeline without a device."""
    pipe = _pipeline(
        request.files,
        request.what,
        batch_size=request.batch_size,
        num_threads=request.workers,
        device_id=None,
        seed=request.seed,
    )
    pipe.build()
    while True:
        images, labels = pipe.run()
        yield np.asarray(images.as_tensor()), np.asarray(labels.as_tensor())


@pipeline_def(enable_conditionals=True)  # type: ignore[untyped-decorator]
def _pipeline(files: list[str], work: Work) -> Any:
    data, labels = fn.readers.file(
        files=files,
        labels=list(range(len(files))),
        random_shuffle=True,
        initial_fill=min(_SHUFFLED, len(files)),
    )
    if work.random:
        images = fn.decoders.image_random_crop(
            data, device="cpu", random_area=AREA, random_aspect_ratio=RATIO, num_attempts=TRIES
        )
        images = fn.resize(images, size=(SIZE, SIZE), interp_type=types.INTERP_LINEAR, antialias=False)
        mirror = fn.random.coin_flip(probability=MIRROR)
    else:
        images = fn.decoders.image(data, device="cpu")
        images = fn.resize(images, resize_shorter=SHORTEST, interp_type=types.INTERP_LINEAR, antialias=True)
        mirror = 0
    if work.pixels:
        images = _changed(images)
    images = fn.crop_mirror_normalize(
        images, crop=(SIZE, SIZE), mirror=mirror, mean=0.0, std=1.0, dtype=types.UINT8, output_layout="CHW"
    )
    return images, labels


def _changed(images: Any) -> Any:
    """Return images with brightness, contrast, saturation, noise and blur, each of them or not."""
    if _happens():
        images = fn.brightness(images, brightness=_between(BRIGHTNESS, 1))
    if _happens():
        images = fn.contrast(images, contrast=_between(CONTRAST, 1))
    if _happens():
        images = fn.saturation(images, saturation=_between(COLOR, 1))
    if _happens():
        images = fn.noise.gaussian(images, stddev=_between(NOISE))
    if _happens():
        images = fn.gaussian_blur(images, sigma=_between(BLUR))
    return images


def _happens() -> Any:
    return fn.random.coin_flip(probability=CHANCE, dtype=types.BOOL)


def _between(limits: tuple[float, float], offset: float = 0) -> Any:
    return fn.random.uniform(range=tuple(offset + limit for limit in limits))
