"""Layers: what else of a batch can be seen besides its images, and the pictures of both together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.overlays import (
    PEAK,
    POINT,
    beside,
    class_colour,
    with_heat,
    with_mask,
    with_points,
)
from leaven_plugins.commands.show.sheet import Legend, displayable, fitted

ROLES = ("mask", "heat", "points", "beside")
"""Drawn over the image as classes, as a map, as points; put beside it as another image."""

_MOST_CLASSES = 64  # of a mask; an image of as few values is hardly one
_MOST_IN_LEGEND = 12
_MOST_FRAMES = 8  # of a sequence
_SPARSE = 0.02  # share of the pixels of a map up to which it is one of points


class Shown(NamedTuple):
    """A picture of each row, what the colours in them stand for, and what is drawn how (key -> role)."""

    pictures: list[Pixels]
    legend: Legend
    layers: dict[str, str]


def shown(sample: Mapping[str, Any], tile: int, key: str = "image") -> Shown:
    """Return pictures of all rows of a batch.

    Args:
        sample: with images ``(rows, C, H, W)`` under ``key``; other arrays of the same proportions are layers. Or with
            sequences ``(rows, frames, C, H, W)``, of which the first frames stand side by side.
        tile: longer side of an image's picture, in pixels.
        key: of the images.

    Raises:
        LeavenError: there are no such images.
    """
    images = _images_of(sample, key)
    if images.ndim == 5:
        return Shown([_strip(frames, tile) for frames in displayable(images)], [], {})
    layers = layers_of(sample, key)
    pictures = [fitted(image, tile) for image in displayable(images)]
    for name, role in layers.items():
        pictures = [_drawn(*pair, role, tile) for pair in zip(pictures, _rows(sample[name], role), strict=True)]
    legend = [entry for name, role in layers.items() for entry in _legend_of(name, sample[name], role)]
    return Shown(pictures, legend, layers)


def layers_of(sample: Mapping[str, Any], key: str = "image") -> dict[str, str]:
    """Return key and role of everything that is drawn together with the images.

    Whole numbers in one plane are masks, other numbers maps, or points where nearly all of them are 0. What looks like
    the images themselves stands beside them.
    """
    images = sample[key]
    others = {name: value for name, value in sample.items() if name != key and isinstance(value, np.ndarray)}
    return {name: _role(value, images) for name, value in others.items() if _same_proportions(value, images)}


def _role(values: NDArray[Any], images: NDArray[Any]) -> str:
    alike = values.shape[1:] == images.shape[1:] and values.dtype == images.dtype
    if (values.ndim == 4 and values.shape[1] != 1) or (alike and len(np.unique(values)) > _MOST_CLASSES):
        return "beside"
    if values.dtype.kind in "iub":
        return "mask"
    return "points" if 0 < np.count_nonzero(values) <= _SPARSE * values.size else "heat"


def _same_proportions(values: NDArray[Any], images: NDArray[Any]) -> bool:
    if values.ndim not in (3, 4) or 0 in values.shape:
        return False
    (height, width), (h, w) = images.shape[-2:], values.shape[-2:]
    return bool(abs(height * w - width * h) <= max(height, width) / 2)  # half a pixel is lost in rounding


def _strip(frames: NDArray[Any], tile: int) -> Pixels:
    picture = fitted(frames[0], tile)
    for frame in frames[1:_MOST_FRAMES]:
        picture = beside(picture, fitted(frame, tile))
    return picture


def _drawn(picture: Pixels, layer: NDArray[Any], role: str, tile: int) -> Pixels:
    if role == "mask":
        return with_mask(picture, layer)
    if role == "heat":
        return with_heat(picture, layer)
    if role == "points":
        return with_points(picture, _points_in(layer, picture))
    return beside(picture, fitted(layer, tile))


def _rows(values: NDArray[Any], role: str) -> Sequence[NDArray[Any]]:
    """Return what is drawn of each row: an image ``(C, H, W)`` uint8, or a plane."""
    if role == "beside":
        images = values if values.ndim == 4 else values[:, None]
        return list(displayable(images))
    return list(values if values.ndim == 3 else values[:, 0])


def _points_in(heat: NDArray[Any], picture: Pixels) -> list[tuple[float, float]]:
    """Return the middles of all spots of a map, in pixels of the picture."""
    *_, centres = cv2.connectedComponentsWithStats((heat > 0).astype(np.uint8))
    across, down = (picture.shape[axis] / heat.shape[axis] for axis in (1, 0))
    return [((x + 0.5) * across, (y + 0.5) * down) for x, y in centres[1:].tolist()]  # the first is the ground


def _legend_of(name: str, values: NDArray[Any], role: str) -> Legend:
    if role == "beside":
        return [(None, f"right: {name}")]
    if role != "mask":
        return [(POINT, name)] if role == "points" else [(PEAK, f"largest value of {name}")]
    numbers = [int(number) for number in np.unique(values) if number != 0]
    entries: Legend = [(class_colour(number), f"class {number}") for number in numbers[:_MOST_IN_LEGEND]]
    rest = len(numbers) - len(entries)
    return [*entries, (None, f"and {rest} more")] if rest else entries


def _images_of(sample: Mapping[str, Any], key: str) -> NDArray[Any]:
    images = sample.get(key)
    if not isinstance(images, np.ndarray) or images.ndim not in (4, 5):
        raise LeavenError(f"no images (rows, channels, height, width) under the key {key!r}; keys: {', '.join(sample)}")
    return images
