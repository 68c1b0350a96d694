"""DigitsDataset: real handwritten digits without a download."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, suggestion
from leaven_plugins.datasets.digits.sheet import COUNT, load_sheet

_SPLITS = ("train", "val", "all")
_LARGEST = 1024


class DigitsDataset:
    """The 1,797 digits of the test part of UCI's "Optical Recognition of Handwritten Digits" (CC BY 4.0).

    They are 8 x 8 grey pixels by 13 people, as many of each digit as of the others within 3 %. The parts are drawn
    evenly from each digit and from the whole of the original order, so that both have digits by everybody.

    Args:
        split: ``train``, ``val`` or ``all``.
        val: how many digits are in ``val``; the others are in ``train``.
        size: height and width of the images in pixels; as the original, 8, by default. Others are interpolated.

    Raises:
        ParameterError: no such split, or a number that is out of range.
    """

    def __init__(self, split: str = "all", val: int = 360, size: int | None = None) -> None:
        if split not in _SPLITS:
            raise ParameterError(f"no split {split!r}{suggestion(split, _SPLITS)}; splits: {', '.join(_SPLITS)}")
        if not 0 < val < COUNT:
            raise ParameterError(f"val must be 1 to {COUNT - 1} of the {COUNT} digits, not {val}")
        if size is not None and not 1 <= size <= _LARGEST:
            raise ParameterError(f"size must be 1 to {_LARGEST} pixels, not {size}")
        self.split = split
        self.val = val
        self.size = size

    def __len__(self) -> int:
        """Return the number of digits in the split."""
        return {"train": COUNT - self.val, "val": self.val, "all": COUNT}[self.split]

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key`` (``digit-0000``, counted in the original), ``image`` (grey PNG), ``label`` (0..9).

        Raises:
            IndexError: there is no such sample; negative positions count from the end.
        """
        number = self._number(index)
        image = self._digits.images[number]
        if self.size is not None:
            method = cv2.INTER_CUBIC if self.size > len(image) else cv2.INTER_AREA
            image = cv2.resize(image, (self.size, self.size), interpolation=method)
        png = cv2.imencode(".png", image)[1].tobytes()
        return {"key": _name(number), "image": png, "label": int(self._digits.labels[number])}

    def key(self, index: int) -> str:
        """Return the name of a sample; raises as :meth:`sample` does."""
        return _name(self._number(index))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; a name's position is its label."""
        return tuple("0123456789")

    def close(self) -> None:
        """Give back the pixels."""
        self.__dict__.pop("_digits", None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_digits"}

    @cached_property
    def _digits(self) -> _Digits:
        images, labels = load_sheet()
        return _Digits(images, labels, _numbers(labels, self.split, self.val))

    def _number(self, index: int) -> int:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"digits: no sample {position} in {self.split!r}, there are {len(self)}")
        return int(self._digits.numbers[position])


class _Digits(NamedTuple):
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    numbers: NDArray[np.int64]


def _numbers(labels: NDArray[np.int64], split: str, val: int) -> NDArray[np.int64]:
    """Return the numbers of the digits in a split, ascending.

    With the digits sorted by label, every (1797 / val)-th is in ``val``.
    """
    ranks = np.arange(len(labels))
    held_out = np.empty(len(labels), bool)
    held_out[np.argsort(labels, kind="stable")] = (ranks + 1) * val // len(labels) > ranks * val // len(labels)
    chosen = {"train": ~held_out, "val": held_out, "all": np.ones(len(labels), bool)}[split]
    return np.flatnonzero(chosen)


def _name(number: int) -> str:
    return f"digit-{number:04d}"
