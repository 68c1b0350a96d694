"""Forms: how far points lie from the outline of a shape."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Form = Callable[[Field, Field], Field]
"""Distances of points (x, y) from an outline around (0, 0), negative within it; of polygons, that of their lines."""


def _disc(x: Field, y: Field) -> Field:
    distance: Field = np.hypot(x, y) - 1.0
    return distance


def _polygon(corners: int, radius: float) -> Form:
    normals = [(cos(angle), sin(angle)) for angle in np.arange(corners) * 2 * pi / corners + pi / 2]
    inner = radius * cos(pi / corners)

    def distance(x: Field, y: Field) -> Field:
        farthest: Field = np.maximum.reduce([across * x + down * y for across, down in normals])
        return farthest - inner

    return distance


# Radii that give all of them the area of the disc.
FORMS: dict[str, Form] = {
    "disc": _disc,
    "square": _polygon(4, (pi / 2) ** 0.5),
    "triangle": _polygon(3, (pi * 4 / 27**0.5) ** 0.5),
}
"""The shapes by name, each with the area of a disc of radius 1."""
