"""ShapesDataset: as many pictures as wanted, of any size, without a file."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, suggestion
from leaven.stream.randomness import Stream
from leaven_plugins.datasets.shapes.forms import FORMS
from leaven_plugins.datasets.shapes.scene import Painted, draw_things, paint

_OBSERVERS = 5
_LOOKS = 12  # of each observer
_SMALLEST, _LARGEST = 16, 8192

_FILES: dict[str, tuple[str, list[int]]] = {
    "png": (".png", []),
    "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92]),
}


class ShapesDataset:
    """Coloured discs, squares and triangles on a cloudy ground, made up as they are read.

    Each picture shows one large object, whose class is the label, and up to three small ones. A sample depends on the
    seed and on its position alone, so that a longer dataset begins as a shorter one does.

    Args:
        size: height and width in pixels, or one number for both.
        length: how many samples there are.
        seed: another seed, other pictures.
        classes: names of the shapes; the position of a name is its label.
        format: of the images, ``png`` or ``jpeg``.

    Raises:
        ParameterError: a size of less than 16 or more than 8192 pixels, no samples, or an unknown name.
    """

    def __init__(
        self,
        size: int | Sequence[int] = (96, 128),
        length: int = 1000,
        seed: int = 0,
        classes: Sequence[str] = tuple(FORMS),
        format: str = "png",  # noqa: A002 - what it is
    ) -> None:
        self.size = _checked_size(size)
        self.length = length
        self.seed = seed
        self.classes = _checked_classes(classes)
        self.format = format
        if length < 1:
            raise ParameterError(f"length is {length}; there has to be at least one sample")
        if format not in _FILES:
            raise ParameterError(f"no format {format!r}{suggestion(format, _FILES)}; formats: {', '.join(_FILES)}")

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.length

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample.

        Its keys are ``key`` (``shapes-00000000``); ``image``, a PNG or JPEG file; ``label``, the class of the large
        object; ``label_image``, a PNG file of one channel with 0 for the ground and 1 + the class for objects; and
        ``experiments``, one ``{"locations": ...}`` for each of five observers, float32 ``(12, 2)``: x and y of where
        they looked at objects, in numbers of pixels, so that ``(0, 0)`` is the middle of the first.

        Raises:
            IndexError: there is no such sample; negative positions count from the end.
        """
        position = self._position(index)
        scene = self._scene(position)
        return {
            "key": _name(position),
            "image": _encoded(scene.painted.image, self.format),
            "label": scene.label,
            "label_image": _encoded(scene.painted.mask, "png"),
            "experiments": scene.experiments,
        }

    def key(self, index: int) -> str:
        """Return the name of a sample; raises as :meth:`sample` does."""
        return _name(self._position(index))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; a name's position is its label."""
        return self.classes

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _position(self, index: int) -> int:
        position = operator.index(index)
        if not -self.length <= position < self.length:
            raise IndexError(f"shapes: no sample {position}, there are {self.length}")
        return position % self.length

    def _scene(self, position: int) -> _Scene:
        random = Stream(self.seed, "dataset:shapes").at(0, position)
        things = draw_things(self.size, len(self.classes), random)
        painted = paint(self.size, things, list(self.classes), random)
        experiments = [{"locations": _looks(painted.mask, random)} for _ in range(_OBSERVERS)]
        return _Scene(painted, things[0].form, experiments)


class _Scene(NamedTuple):
    painted: Painted
    label: int
    experiments: list[dict[str, NDArray[np.float32]]]


def _looks(mask: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.float32]:
    """Return places within pixels of objects."""
    rows, columns = np.nonzero(mask)
    chosen = random.integers(len(rows), size=_LOOKS)
    within = random.uniform(-0.45, 0.45, (_LOOKS, 2))
    return np.maximum(np.stack([columns[chosen], rows[chosen]], axis=1) + within, 0).astype(np.float32)


def _encoded(pixels: NDArray[np.uint8], file_format: str) -> bytes:
    extension, options = _FILES[file_format]
    return cv2.imencode(extension, pixels[:, :, ::-1] if pixels.ndim == 3 else pixels, options)[1].tobytes()


def _name(position: int) -> str:
    return f"shapes-{position:08d}"


def _checked_size(size: int | Sequence[int]) -> tuple[int, int]:
    sizes = (size, size) if isinstance(size, int) else tuple(size)
    if len(sizes) != 2 or not all(_SMALLEST <= length <= _LARGEST for length in sizes):
        raise ParameterError(
            f"size is {size!r}; it has to be one number, or height and width, of {_SMALLEST} to {_LARGEST} pixels"
        )
    return int(sizes[0]), int(sizes[1])


def _checked_classes(classes: Sequence[str]) -> tuple[str, ...]:
    names = [classes] if isinstance(classes, str) else list(classes)
    if not names or len(set(names)) != len(names):
        raise ParameterError(f"classes are {names!r}; there has to be at least one, and none of them twice")
    for name in names:
        if name not in FORMS:
            raise ParameterError(f"no shape {name!r}{suggestion(name, FORMS)}; shapes: {', '.join(FORMS)}")
    return tuple(names)
