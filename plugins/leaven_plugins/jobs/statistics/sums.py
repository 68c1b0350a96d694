"""Sums over images and labels: exact, so that they can be taken together in any order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError
from leaven.protocols import Decoder


@dataclass
class Sums:
    """What is known of some samples.

    Attributes:
        samples: how many there are.
        images: how many images they have.
        pixels: of all images.
        first: sum of the values (0 to 255) of each channel.
        second: sum of their squares.
        heights: smallest and largest, in pixels; empty without images.
        widths: the same.
        labels: pairs of a label, which is an integer or a string, and how many samples have it.
    """

    samples: int = 0
    images: int = 0
    pixels: int = 0
    first: list[int] = field(default_factory=lambda: [0, 0, 0])
    second: list[int] = field(default_factory=lambda: [0, 0, 0])
    heights: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    labels: Counter[int | str] = field(default_factory=Counter)

    def add(self, fields: Mapping[Any, Any], decoder: Decoder) -> None:
        """Add a sample.

        Raises:
            DecodeError: an image cannot be decoded, or is an array that is none.
        """
        self.samples += 1
        label = fields.get("label")
        label = int(label) if isinstance(label, (bool, np.bool_, np.integer)) else label
        if isinstance(label, (int, str)):
            self.labels[label] += 1
        image = fields.get("image")
        for one in image if isinstance(image, (list, tuple)) else [image]:
            if isinstance(one, (bytes, np.ndarray)):
                self._add_image(decoder.decode(one).image if isinstance(one, bytes) else _rgb(one))

    def merge(self, other: Sums) -> None:
        """Add what another one has summed up."""
        self.samples += other.samples
        self.images += other.images
        self.pixels += other.pixels
        self.first = [a + b for a, b in zip(self.first, other.first, strict=True)]
        self.second = [a + b for a, b in zip(self.second, other.second, strict=True)]
        self.heights = _range([*self.heights, *other.heights])
        self.widths = _range([*self.widths, *other.widths])
        self.labels.update(other.labels)

    def to_plain(self) -> dict[str, Any]:
        """Return the sums as plain data; large numbers are text."""
        texts = {name: list(map(str, getattr(self, name))) for name in ("first", "second")}
        return {**vars(self), **texts, "labels": [[label, count] for label, count in self.labels.items()]}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Sums:
        """Return the sums that :meth:`to_plain` gave."""
        numbers = {name: list(map(int, plain[name])) for name in ("first", "second")}
        labels = Counter(dict(map(tuple, plain["labels"])))
        return cls(**{**plain, **numbers, "labels": labels})

    def summary(self) -> dict[str, Any]:
        """Return what they come to, for :meth:`Statistics.summary`."""
        ordered = sorted(self.labels.items(), key=lambda item: (isinstance(item[0], str), item[0]))
        moments = list(zip(self.first, self.second, strict=True)) if self.pixels else []
        return {
            "samples": self.samples,
            "images": self.images,
            "pixels": self.pixels,
            "mean": [first / (255 * self.pixels) for first, _ in moments] or None,
            "std": [self._deviation(*both) for both in moments] or None,
            "height": self.heights or None,
            "width": self.widths or None,
            "classes": dict(ordered),
        }

    def _add_image(self, image: NDArray[np.uint8]) -> None:
        height, width = image.shape[:2]
        self.images += 1
        self.pixels += height * width
        for channel in range(3):
            counts = np.bincount(image[..., channel].ravel(), minlength=256).astype(object)
            self.first[channel] += int(np.dot(counts, _VALUES))
            self.second[channel] += int(np.dot(counts, _SQUARES))
        self.heights = _range([*self.heights, height])
        self.widths = _range([*self.widths, width])

    def _deviation(self, first: int, second: int) -> float:
        variance = Fraction(second, self.pixels) - Fraction(first, self.pixels) ** 2  # exact, so that nothing cancels
        return math.sqrt(variance) / 255


_VALUES = np.arange(256).astype(object)
_SQUARES = _VALUES**2


def _rgb(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an array as RGB; grey ones have three equal channels."""
    grey = image[..., None] if image.ndim == 2 else image
    if grey.dtype != np.uint8 or grey.ndim != 3 or grey.shape[2] not in (1, 3) or not grey.size:
        shown = f"a {image.dtype} array of shape {image.shape}"
        raise DecodeError(f"{shown} is no image of 1 or 3 channels with 8 bits each")
    return np.repeat(grey, 3, axis=2) if grey.shape[2] == 1 else grey


def _range(values: list[int]) -> list[int]:
    return [min(values), max(values)] if values else []
