"""GazeParams: how points become a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Any

from leaven.errors import ParameterError, listing, suggestion


@dataclass(frozen=True)
class GazeParams:
    """What ``target_image_params`` of the saliency worker may hold.

    Args:
        sample_ratio: share of a sample's experiments that is used, drawn anew each time; rounded up.
        jitter: standard deviation by which each point is moved, relative to the map's width and height.
        interpolate: share each point among the cells around it.
        blur: sigma of a Gaussian over the map, relative to its width.
        maxnorm: divide the map by its largest value.

    Raises:
        ParameterError: a value is out of range.
    """

    sample_ratio: float = 1.0
    jitter: float = 0.0
    interpolate: bool = False
    blur: float = 0.0
    maxnorm: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.sample_ratio <= 1:
            raise ParameterError(f"sample_ratio is {self.sample_ratio!r}; it has to be above 0, and at most 1")
        for name in ("jitter", "blur"):
            if not 0 <= getattr(self, name) < inf:
                raise ParameterError(f"{name} is {getattr(self, name)!r}; it must not be negative")


def gaze_params(table: Mapping[str, Any]) -> GazeParams:
    """Return the parameters in a table.

    Raises:
        ParameterError: a name or a value is wrong.
    """
    known = [field.name for field in fields(GazeParams)]
    for name in table:
        if name not in known:
            hint = suggestion(name, known)
            raise ParameterError(f"target_image_params has no {name!r}{hint}; there are {listing(known)}")
    try:
        return GazeParams(**table)
    except TypeError as error:
        raise ParameterError(f"target_image_params: {error}") from error
