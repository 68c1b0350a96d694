"""Locations: where people looked at an image, out of a sample's experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import SampleError, listing, suggestion
from leaven_plugins.ops.geometry import Size

Points = NDArray[np.float64]

ORIGINS = {"center": 0.5, "corner": 0.0}
"""What (0, 0) is of the first pixel, and how much is to be added to points to count from its corner."""

_BORDER = 1e-6  # pixels by which the outermost points lie within the image


def locations_of(sample: Mapping[str, Any], key: str, size: Size, origin: str) -> list[Points]:
    """Return the points of each experiment that has any within the image.

    Points are ``fixations`` where an experiment has them, else ``locations``; not finite, negative, and those beyond
    the image are left out.

    Args:
        sample: has a list of tables under ``key``.
        key: of the experiments.
        size: height and width of the image that points refer to.
        origin: one of :data:`ORIGINS`.

    Returns:
        Arrays ``(n, 2)`` of x and y; (0, 0) is the corner of the first pixel.

    Raises:
        SampleError: there are no experiments, they are not such tables, or no point is left.
    """
    found = [_within(points, size, origin) for points in _all_points(sample, key)]
    found = [points for points in found if len(points)]
    if not found:
        raise _error(f"no point in {key!r} lies within the image of {size[0]} x {size[1]} pixels")
    return found


def _all_points(sample: Mapping[str, Any], key: str) -> list[Points]:
    if key not in sample:
        names = [str(name) for name in sample]
        raise _error(f"no key {key!r}{suggestion(key, names)}; the sample has: {listing(names)}")
    experiments = sample[key]
    if not isinstance(experiments, Sequence) or isinstance(experiments, (str, bytes)):
        raise _error(f"{key!r} is of type {type(experiments).__name__}; it has to be a list of tables")
    return [_points(experiment, f"{key}[{number}]") for number, experiment in enumerate(experiments)]


def _points(experiment: Any, name: str) -> Points:
    if not isinstance(experiment, Mapping):
        raise _error(f"{name} is of type {type(experiment).__name__}; it has to be a table with locations")
    field = next((field for field in ("fixations", "locations") if experiment.get(field) is not None), None)
    if field is None:
        raise _error(f"{name} has neither fixations nor locations; it has: {listing(map(str, experiment))}")
    try:
        points = np.asarray(experiment[field])
    except ValueError:  # pairs of different lengths
        points = np.asarray(None)
    if points.size == 0 and points.dtype.kind != "O":
        return np.empty((0, 2))
    if points.dtype.kind not in "iuf" or points.ndim != 2 or points.shape[1] != 2:
        shown = "no numbers" if points.dtype.kind not in "iuf" else f"of shape {points.shape}"
        raise _error(f"{name}.{field} are {shown}; they have to be pairs of x and y, (n, 2)")
    return points.astype(np.float64)


def _within(points: Points, size: Size, origin: str) -> Points:
    sides = np.array([size[1], size[0]])
    with np.errstate(invalid="ignore"):
        inside = ((points >= 0) & (points < sides)).all(1)  # false for what is not a number
    return np.minimum(points[inside] + ORIGINS[origin], sides - _BORDER)


def _error(message: str) -> SampleError:
    return SampleError(message, stage="experiments")
