"""One sample, large: beside the image that it was made of, with the part that it shows, and its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError
from leaven.protocols import Decoder
from leaven.stream.worker import unpacked
from leaven_plugins.commands.show.layers import shown
from leaven_plugins.commands.show.lettering import CAPTION, PAPER, Pixels
from leaven_plugins.commands.show.overlays import with_outline, with_points
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.commands.show.sheet import arranged, displayable, fitted
from leaven_plugins.ops.geometry import make_transform, map_points
from leaven_plugins.workers.image.parameters import GEOMETRY

_TILE = 480
_ROOM = 8  # pixels around an image
_WIDEST = 0.5  # how much more there is at most, as a part of the image


class Array(NamedTuple):
    """What one array of a sample is: shape and dtype of its row, smallest and largest value."""

    key: str
    shape: tuple[int, ...]
    dtype: str
    low: float | None
    high: float | None

    def cells(self) -> tuple[str, ...]:
        """Return the row of a table."""
        return self.key, "x".join(map(str, self.shape)), self.dtype, range_text(self.low, self.high)


def range_text(low: float | None, high: float | None) -> str:
    """Return smallest and largest value as people read them; nothing where there is none."""
    return "" if low is None or high is None else f"{low:.4g} to {high:.4g}"


def parameters_of_sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with which the row of a batch of one was made, by name; none where it has none."""
    found = sample.get("augmentation")
    return dict(found[0]) if isinstance(found, list) and found and isinstance(found[0], Mapping) else {}


def arrays_of(sample: Mapping[str, Any]) -> list[Array]:
    """Return what the arrays of a batch of one row hold."""
    rows = {key: value[0] for key, value in sample.items() if isinstance(value, np.ndarray)}
    return [
        Array(key, row.shape, str(row.dtype), *((float(row.min()), float(row.max())) if row.size else (None, None)))
        for key, row in rows.items()
    ]


def text_of(value: Any) -> str:
    """Return a parameter's value as people read it: numbers with four digits."""
    if isinstance(value, bool) or value is None:
        return "-" if value is None else "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(text_of, value)) if isinstance(value, (list, tuple)) else str(value)


def picture_of(replay: Replay, epoch: int, index: int, sample: Mapping[str, Any], decoder: Decoder) -> Pixels:
    """Return a picture of a sample, of the image that it was made of, and its parameters.

    Args:
        replay: that made the sample.
        epoch: of the sample.
        index: of the sample.
        sample: the batch of one row.
        decoder: for the image.
    """
    found = shown(sample, _TILE)
    values = parameters_of_sample(sample)
    drawn = [f"{name} {text_of(value)}" for name, value in values.items() if value]
    panels = [(found.pictures[0], [f"sample {index} in epoch {epoch}", *CAPTION.flowed(drawn, _TILE)])]
    if found.legend and "beside" not in found.layers.values():
        panels.insert(0, (shown({"image": sample["image"]}, _TILE).pictures[0], ["the image alone"]))
    source = _source(unpacked(replay.item(epoch, index)), values, sample["image"].shape[-2:], decoder)
    if source is not None:
        panels.insert(0, (source, ["the whole image, and what is shown of it", "(the dot is the upper left corner)"]))
    pictures, captions = zip(*panels, strict=True)
    texts = ["\n".join(lines) for lines in captions]
    return arranged(pictures, texts, len(pictures), str(replay.dataset.key(index)), found.legend)


def _source(fields: Mapping[str, Any], values: Mapping[str, Any], size: Any, decoder: Decoder) -> Pixels | None:
    """Return the whole image with an outline of what is shown of it and where people looked at, if it has these."""
    try:
        info = decoder.info(fields.get("image"))  # type: ignore[arg-type]  # which it checks
        image = decoder.decode(fields["image"]).image
    except DecodeError:
        return None
    picture = fitted(displayable(image).transpose(2, 0, 1), _TILE)
    scale = np.array(picture.shape[1::-1]) / image.shape[1::-1]
    if info.orientation == 1:  # else points may belong to the pixels as they are stored
        picture = with_points(picture, (points_of(fields) + 0.5) * scale)
    if "gpu_augmentation" not in values:  # not made by an image worker, whose geometry this is
        return picture
    corners = outline(image.shape[:2], size, values) * scale
    picture, moved = _widened(picture, corners)
    return with_points(with_outline(picture, moved), moved[:1])


def _widened(picture: Pixels, corners: NDArray[np.float64]) -> tuple[Pixels, NDArray[np.float64]]:
    """Return the picture with room for the corners that lie outside of it, as far as that is reasonable, and these."""
    height, width = picture.shape[:2]
    most = np.array([width, height]) * _WIDEST
    before = np.clip(np.ceil(-corners.min(0)), 0, most).astype(int) + _ROOM
    after = np.clip(np.ceil(corners.max(0) - (width, height)), 0, most).astype(int) + _ROOM
    wide = np.full((height + before[1] + after[1], width + before[0] + after[0], 3), PAPER, np.uint8)
    wide[before[1] : before[1] + height, before[0] : before[0] + width] = picture
    return wide, corners + before


def outline(source_size: Any, size: Any, values: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the corners of what is shown of an image, ``(4, 2)`` of x and y in its pixels, from the upper left one."""
    matrix = make_transform(source_size, size, **{key: values[key] for key in GEOMETRY if key in values})
    height, width = size
    return map_points(matrix, [(0, 0), (width, 0), (width, height), (0, height)])


def points_of(fields: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return all points that people looked at, ``(n, 2)`` of x and y in numbers of pixels; ``n`` may be 0."""
    found = [np.zeros((0, 2))]
    for experiment in _mappings(fields.get("experiments")):
        points = np.asarray(experiment.get("fixations", experiment.get("locations")), np.float64)
        if points.ndim == 2 and points.shape[1] >= 2:
            found.append(points[np.isfinite(points).all(1), :2])
    return np.concatenate(found)


def _mappings(values: Any) -> Iterable[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, (list, tuple)) else []
