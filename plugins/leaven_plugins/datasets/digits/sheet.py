"""The sheet of digits: one picture with all images, and a text with their labels."""

from __future__ import annotations

from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import DatasetError

COUNT = 1797
COLUMNS = 43
SIDE = 8


def load_sheet() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images and labels, in the order of the original.

    Returns:
        images: uint8 ``(1797, 8, 8)``, ink is bright. The original has the values 0..16, and 255/16 of them, rounded,
            is what is here: ``(image * 16.0 / 255).round()`` gives them back.
        labels: int64 ``(1797,)``, 0..9.

    Raises:
        DatasetError: the sheet cannot be decoded.
    """
    folder = files(__package__)
    encoded = np.frombuffer(folder.joinpath("digits.png").read_bytes(), np.uint8)
    sheet = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    if sheet is None:
        raise DatasetError("the sheet of digits is damaged: install leaven again")
    tiles = sheet.reshape(-1, SIDE, COLUMNS, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    labels = "".join(folder.joinpath("labels.txt").read_text("ascii").split())
    return tiles[:COUNT].astype(np.uint8), np.array([int(label) for label in labels])
