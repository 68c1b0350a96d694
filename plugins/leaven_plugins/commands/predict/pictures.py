"""Plugin of this command alone: image files as a dataset for any worker of a training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from leaven import Component, create, hookimpl
from leaven.errors import DatasetError, DecodeError
from leaven.protocols import Decoder


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:pictures``."""
    yield Component("pictures", Pictures, "image files, with targets that mean nothing")


class Pictures:
    """Image files, each with everything that workers ask for besides the image.

    The worker of a validation makes images exactly as the network knows them, and needs targets for that: here they are
    the label 0, a mask of class 0 and one point in the corner, which nobody looks at.

    Args:
        paths: of the files.
        mask: key of the mask; none by default.
        points: key of the points; none by default.
        upright: the mask is of the image as it is to be seen, not as it is stored (EXIF orientation).
    """

    def __init__(self, paths: Sequence[str], mask: str = "", points: str = "", upright: bool = False) -> None:
        self.paths = tuple(paths)
        self._mask = mask
        self._points = points
        self._upright = upright

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.paths)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key`` (the path), ``image`` (the file's bytes), ``label`` and the other targets.

        Raises:
            DatasetError: the file cannot be read.
        """
        image = self._read(index)
        sample: dict[str, Any] = {"key": self.paths[index], "image": image, "label": 0}
        if self._points:
            sample[self._points] = [{"locations": [[0.0, 0.0]]}]
        if self._mask:
            sample[self._mask] = _blank(image, self._upright)
        return sample

    def key(self, index: int) -> str:
        """Return a file's path."""
        return self.paths[index]

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, index: int) -> bytes:
        try:
            with open(self.paths[index], "rb") as file:
                return file.read()
        except OSError as error:
            raise DatasetError(f"cannot be read: {error.strerror or error}") from error


def _blank(image: bytes, upright: bool) -> bytes:
    """Return a mask of class 0 as a PNG file, as large as the image; nothing for what is no image."""
    decoder: Decoder = create("decoder:opencv")
    try:
        info = decoder.info(image)
    except DecodeError:  # which the worker tells, too
        return b""
    turned = info.orientation >= 5 and not upright
    size = (info.width, info.height) if turned else (info.height, info.width)
    return bytes(cv2.imencode(".png", np.zeros(size, np.uint8))[1].tobytes())
