"""Pictures of predictions: an image beside its target and what the network says of it, with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.commands.predict.outputs import Predicted, Seen
from leaven_plugins.commands.show.layers import layers_of, shown
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.overlays import PEAK, beside, class_colour, with_heat, with_mask
from leaven_plugins.commands.show.sheet import Legend, displayable, fitted

WRONG = (214, 39, 40)
"""Colour of the frame around an image whose class was not found."""

_SMALL = 96  # pixels: up to this size images are enlarged on a sheet, above it reduced to twice of it
_FRAME = 4
_MOST_IN_LEGEND = 10


class Drawn(NamedTuple):
    """A picture of each row, a caption for each, and what the colours stand for."""

    pictures: list[Pixels]
    captions: list[str]
    legend: Legend


def drawn(rows: Seen, names: Sequence[str] = (), with_target: bool = True) -> Drawn:
    """Return pictures of predictions.

    Args:
        rows: images, targets and predictions.
        names: of the classes; by default their numbers.
        with_target: show the targets, too.
    """
    target = rows.target if with_target else None
    images = rows.images[:, 0] if rows.images.ndim == 5 else rows.images  # of a sequence, the first frame
    if rows.predicted.kind in ("classes", "numbers"):
        tile = _SMALL if max(images.shape[-2:]) <= _SMALL else 2 * _SMALL
        return _captioned([fitted(image, tile) for image in displayable(images)], rows.predicted, target, names)
    return _panels(images, 2 * _SMALL, rows.predicted, target, names)


def _captioned(
    pictures: list[Pixels], predicted: Predicted, target: NDArray[Any] | None, names: Sequence[str]
) -> Drawn:
    """Return images with the class in their captions, those with another target in a frame."""
    if predicted.kind == "numbers":
        return Drawn(pictures, _number_captions(predicted.values, target), [])
    best, names = predicted.values.argmax(1), predicted.named(names)
    captions = [
        f"predicted {_name(number, names)} ({shares[number]:.2f})"
        for number, shares in zip(best.tolist(), predicted.values, strict=True)
    ]
    labels = labels_of(predicted, target)
    if labels is None:
        return Drawn(pictures, captions, [])
    captions = [f"{text}\nis {_name(label, names)}" for text, label in zip(captions, labels, strict=True)]
    framed = [
        picture if label == number else _framed(picture)
        for picture, label, number in zip(pictures, labels, best, strict=True)
    ]
    right = sum(label == number for label, number in zip(labels, best, strict=True))
    wrong: Legend = [(WRONG, "wrong")] if right < len(labels) else []
    return Drawn(framed, captions, [(None, f"{right} of {len(labels)} right"), *wrong])


def labels_of(predicted: Predicted, target: NDArray[Any] | None) -> list[int] | None:
    """Return the class of each row that was to be predicted, if there is a single one for each."""
    rows = len(predicted.values)
    if target is None or target.size == 0:
        return None
    if target.size == rows:
        return [int(label) for label in target.reshape(rows).tolist()]
    one_each = target.shape == predicted.values.shape and bool((np.count_nonzero(target, axis=1) == 1).all())
    return [int(label) for label in target.argmax(1)] if one_each else None


def _number_captions(values: NDArray[Any], target: NDArray[Any] | None) -> list[str]:
    captions = [f"predicted {_numbers(row)}" for row in values]
    if target is None:
        return captions
    return [f"{text}\nis {_numbers(row)}" for text, row in zip(captions, target, strict=True)]


def _numbers(row: Any) -> str:
    return ", ".join(f"{value:.3g}" for value in np.ravel(row).tolist())


def _panels(
    images: NDArray[Any], tile: int, predicted: Predicted, target: NDArray[Any] | None, names: Sequence[str]
) -> Drawn:
    """Return image, target and prediction side by side."""
    plain = [fitted(image, tile) for image in displayable(images)]
    columns = [("image", plain)]
    if target is not None:
        columns.append(("target", _target_pictures(images, target, tile)))
    columns.append(("prediction", _predicted_pictures(plain, predicted, tile)))
    pictures = [_side_by_side(row) for row in zip(*(column for _, column in columns), strict=True)]
    order = (None, " | ".join(name for name, _ in columns))
    return Drawn(pictures, _shares_right(predicted, target), [order, *_legend(predicted, target, names)])


def _predicted_pictures(plain: list[Pixels], predicted: Predicted, tile: int) -> list[Pixels]:
    if predicted.kind == "picture":
        return [fitted(image, tile) for image in displayable(predicted.values.clip(0, None))]
    if predicted.kind == "mask":
        return [with_mask(*pair) for pair in zip(plain, predicted.values, strict=True)]
    return [with_heat(picture, _risen(heat)) for picture, heat in zip(plain, predicted.values, strict=True)]


def _target_pictures(images: NDArray[Any], target: NDArray[Any], tile: int) -> list[Pixels]:
    pair = {"image": images, "target": target}
    if layers_of(pair).get("target") in ("mask", "heat", "points"):
        return shown(pair, tile).pictures
    planes = target if target.ndim == 4 else target[:, None]
    return [fitted(image, tile) for image in displayable(planes)]


def _risen(heat: NDArray[Any]) -> NDArray[Any]:
    """Return a map whose lowest value is 0: its values are of any sign."""
    return np.asarray(heat - np.nanmin(heat))


def _shares_right(predicted: Predicted, target: NDArray[Any] | None) -> list[str]:
    """Return a caption for each row: of a mask, how many of its pixels are right."""
    if predicted.kind != "mask" or target is None or target.size != predicted.values.size:
        return [""] * len(predicted.values)
    labels = target.reshape(predicted.values.shape)
    counts = (labels >= 0) & (labels != 255)
    right = ((labels == predicted.values) & counts).sum((1, 2)) / np.maximum(counts.sum((1, 2)), 1)
    return [f"{share:.1%} of the pixels right" for share in right.tolist()]


def _legend(predicted: Predicted, target: NDArray[Any] | None, names: Sequence[str]) -> Legend:
    if predicted.kind == "map":
        return [(PEAK, "largest value")]
    if predicted.kind != "mask":
        return []
    found = set(np.unique(predicted.values).tolist()) | set([] if target is None else np.unique(target).tolist())
    numbers = sorted(int(number) for number in found if number > 0)
    return [
        (class_colour(number), names[number] if number < len(names) == predicted.classes else f"class {number}")
        for number in numbers[:_MOST_IN_LEGEND]
    ]


def _name(number: int, names: Sequence[str]) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def _framed(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    framed = np.array(picture)
    half = _FRAME // 2
    cv2.rectangle(framed, (half, half), (width - 1 - half, height - 1 - half), WRONG, _FRAME)
    return framed


def _side_by_side(pictures: Sequence[Pixels]) -> Pixels:
    joined = pictures[0]
    for picture in pictures[1:]:
        joined = beside(joined, picture)
    return joined
