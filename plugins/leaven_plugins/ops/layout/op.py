"""ToFloat, Whiten and ToCHW: values and axes as networks take them, for what comes without a loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven_plugins.ops.depth import prepared, to_unit
from leaven_plugins.ops.drawn import FixedOp
from leaven_plugins.ops.errors import ImageError

Image = NDArray[Any]


@dataclass(frozen=True)
class ToFloat(FixedOp):
    """Makes float32 within 0 and 1 of an image; for ``Compose``, and done to every image.

    Integers are divided by their dtype's whole range, floats are clipped.
    """

    name: ClassVar = "to_float"
    keeps_size: ClassVar = False

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image as float32."""
        return to_unit(prepared(image))


@dataclass(frozen=True)
class Whiten(FixedOp):
    """Subtracts a mean and divides by a standard deviation; for ``Compose``, and done to every image.

    Integers become float32 within 0 and 1 before; floats are taken as they are.

    Args:
        mean: one value for each channel, or one for all; the default is ImageNet's.
        std: the same; above 0.

    Raises:
        ParameterError: a standard deviation is not above 0.
    """

    name: ClassVar = "whiten"
    keeps_size: ClassVar = False

    mean: float | Sequence[float] = (0.485, 0.456, 0.406)
    std: float | Sequence[float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if np.min(self.std) <= 0:
            raise ParameterError(f"std is {self.std!r}; standard deviations are above 0")

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image as float32, of the same shape.

        Raises:
            ImageError: the number of values does not fit the channels.
        """
        image = prepared(image)
        mean, std = (self._per_channel(name, image.shape[2]) for name in ("mean", "std"))
        floats = image if image.dtype.kind == "f" else to_unit(image)
        scale_and_offset = np.hstack([np.diag(1 / std), (-mean / std)[:, None]])
        return cv2.transform(floats, scale_and_offset).reshape(image.shape)  # 30 us at 224 x 224 x 3, numpy takes 480

    def _per_channel(self, name: str, channels: int) -> NDArray[np.float64]:
        values = np.ravel(getattr(self, name)).astype(np.float64)
        if values.size not in (1, channels):
            raise ImageError(f"{name} has {values.size} values for an image of {channels} channels")
        return np.broadcast_to(values, channels)


@dataclass(frozen=True)
class ToCHW(FixedOp):
    """Puts the channels first; for ``Compose``, as its last op, and done to every image.

    Masks get their axis of channels in front as well.
    """

    name: ClassVar = "to_chw"
    geometric: ClassVar = True
    keeps_size: ClassVar = False

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image as ``(channels, height, width)``."""
        image = prepared(image)
        planes = np.empty((image.shape[2], *image.shape[:2]), image.dtype)
        cv2.split(image, list(planes))  # 5 us at 224 x 224 x 3, a transposed copy takes 40
        return planes
