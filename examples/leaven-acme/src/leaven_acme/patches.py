"""PatchWorker: images as grids of patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven import BufferWorker, ParameterError, Row
from leaven.protocols import Decoder


class PatchWorker(BufferWorker):
    """Cuts each image into a grid of patches.

    A batch has ``patches``, uint8 ``(rows, grid * grid, 3, size, size)``, row by row of the grid, and the list
    ``flipped``: whether the image was mirrored first.

    Args:
        grid: patches along each side.
        size: height and width of a patch in pixels.
        flip: probability with which an image is mirrored.
        decoder: what reads the samples' ``image``.

    Raises:
        ParameterError: ``grid`` or ``size`` is below 1.
    """

    def __init__(
        self, grid: int = 2, size: int = 8, flip: float = 0.5, decoder: Decoder | str = "opencv"
    ) -> None:
        if grid < 1 or size < 1:
            raise ParameterError(f"grid={grid}, size={size}: both must be at least 1")
        self.grid = grid
        self.size = size
        self.flip = flip
        self.decoder: Any = decoder
        self.add_buffer("patches", ((grid * grid, 3, size, size), "uint8"))

    def prepare(self, sample: Mapping[str, Any], row: Row, buffers: Mapping[str, NDArray[Any]]) -> None:
        """Fill one row."""
        image = self.decoder.decode(sample["image"]).image
        flipped = bool(row.random.random() < self.flip)
        buffers["patches"][:] = self._cut(image[:, ::-1] if flipped else image)
        row.append("flipped", flipped)

    def _cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        side = self.grid * self.size
        rows = np.linspace(0, image.shape[0] - 1, side).round().astype(int)
        columns = np.linspace(0, image.shape[1] - 1, side).round().astype(int)
        small = image[rows[:, None], columns]
        cells = small.reshape(self.grid, self.size, self.grid, self.size, 3)
        return cells.transpose(0, 2, 4, 1, 3).reshape(-1, 3, self.size, self.size)
