"""The first images of a loader, with something to call each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import LeavenError, ParameterError
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.commands.show.sheet import Pixels, contact_sheet, displayable

_SMALL = 96
"""Up to this size images are enlarged on a sheet, above it reduced to twice of it."""


class Captioned(NamedTuple):
    """Images ``(N, C, H, W)`` uint8, and a caption for each."""

    images: Pixels
    captions: list[str]


def first_images(loader: TurboDataLoader, count: int, key: str = "image") -> Captioned:
    """Return the first ``count`` images of the loader's next epoch, or all if there are fewer.

    Args:
        loader: with a feed of numpy arrays.
        count: at least 1.
        key: of the images, ``(rows, C, H, W)``.

    Raises:
        LeavenError: samples have no such images.
        ParameterError: ``count`` is below 1.
    """
    if count < 1:
        raise ParameterError(f"{count} images: at least 1 is needed for a sheet")
    images: list[Pixels] = []
    captions: list[str] = []
    with loader:
        for _, mini_batches in loader:
            for sample in mini_batches:
                images.extend(displayable(_images_of(sample, key)).copy())
                captions.extend(captions_of(sample, len(sample[key])))
            if len(images) >= count:
                break
    return Captioned(np.stack(images[:count]), captions[:count])


def captions_of(sample: Mapping[str, Any], rows: int) -> list[str]:
    """Return a caption for each row: its label where it has a single one, else its key or its number."""
    labels = sample.get("label")
    if isinstance(labels, np.ndarray) and labels.size == rows:
        return [f"label {label}" for label in labels.reshape(rows).tolist()]
    keys = sample.get("key")
    return [str(name) for name in keys] if isinstance(keys, list) else [f"image {row}" for row in range(rows)]


def sheet_of(found: Captioned, title: str, columns: int | None = None) -> Pixels:
    """Return the contact sheet of images of any size."""
    tile = _SMALL if max(found.images.shape[2:]) <= _SMALL else 2 * _SMALL
    return contact_sheet(found.images, found.captions, columns, tile, title)


def _images_of(sample: Mapping[str, Any], key: str) -> Any:
    images = sample.get(key)
    if not isinstance(images, np.ndarray) or images.ndim != 4:
        raise LeavenError(f"no images (rows, channels, height, width) under the key {key!r}; keys: {', '.join(sample)}")
    return images
