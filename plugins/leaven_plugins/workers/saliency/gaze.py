"""Gaze maps: points, spread over pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.geometry import Size

Points = NDArray[np.float64]


def gaze_map(points: Points, size: Size, cells: int, interpolate: bool = False) -> NDArray[np.float32]:
    """Return a map of points.

    It is what a map ``cells`` times as large in both directions, 1 where there is a point, becomes when the mean of
    each pixel's cells is taken: a pixel has ``1 / cells**2`` for each of its cells that has a point. How many points
    are in a cell does not count.

    Args:
        points: ``(n, 2)``, x and y of pixels of the map, (0, 0) is the corner of the first; those outside are left out.
        size: height and width of the map.
        cells: how finely points are told apart.
        interpolate: share each point among the four cells around it, bilinearly; where several meet in a cell, the
            largest share counts.

    Returns:
        float32 ``size``.
    """
    found, shares = (_four_cells if interpolate else _one_cell)(points * cells)
    height, width = size
    inside = ((found >= 0) & (found < (width * cells, height * cells))).all(1)
    found, shares = found[inside], shares[inside]
    filled, places = np.unique(found[:, 1] * (width * cells) + found[:, 0], return_inverse=True)
    largest = np.zeros(len(filled))
    np.maximum.at(largest, places, shares)
    rows, columns = filled // (width * cells) // cells, filled % (width * cells) // cells
    total = np.zeros(size)
    np.add.at(total, (rows, columns), largest / cells**2)
    return total.astype(np.float32)


def _one_cell(points: Points) -> tuple[NDArray[np.int64], Points]:
    return np.floor(points).astype(np.int64), np.ones(len(points))


def _four_cells(points: Points) -> tuple[NDArray[np.int64], Points]:
    """Return the cells whose middles are around each point, and its shares of them, which make 1 together."""
    first = np.floor(points - 0.5)
    beyond = points - 0.5 - first
    cells, shares = [], []
    for step in ((0, 0), (1, 0), (0, 1), (1, 1)):
        chosen: Any = np.where(step, beyond, 1 - beyond)
        cells.append(first + step)
        shares.append(chosen.prod(1))
    return np.concatenate(cells).astype(np.int64), np.concatenate(shares)
