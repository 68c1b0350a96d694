"""Placing: which part of the source a target shows, in the keys of a draw.

:func:`~leaven_plugins.ops.geometry.make_transform` counts a shift in units of the room that there is to move in, which
depends on scale and sizes. Here shifts are offsets of the target's middle from the source's, ``(down, right)`` in
pixels of the source, so that they can be added up and scaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from leaven.protocols import Region
from leaven_plugins.ops.geometry import Size, pixel_ratio

_STEP = 1e-5
"""By which part of itself a scale is changed where it leaves no room to shift in: 0.1 pixels of 10,000."""


class Placement(NamedTuple):
    """Values of three of a draw's keys."""

    scale: float
    aspect: float
    shift: list[float]


def placed(
    source: Size, target: Size, scale: float, aspect: float, offset: Sequence[float], scale_mode: str = "shortest"
) -> Placement:
    """Return the placement that shows the source's middle plus ``offset`` in the middle of the target.

    Where the target is exactly as large as the source no shift would move it; ``scale`` is then changed by up to 2e-5
    of itself.
    """
    for steps in range(3):  # each axis can rule out one of them
        changed = scale * (1 - steps * _STEP)
        room = _room(source, target, changed, scale_mode)
        least = 0.4 * _STEP * pixel_ratio(source, target, changed, scale_mode)
        if all(move == 0 or space > least * side / 2 for move, space, side in zip(offset, room, target, strict=True)):
            break
    return Placement(changed, aspect, [move and move / space for move, space in zip(offset, room, strict=True)])


def placed_crop(source: Size, target: Size, crop: Region) -> Placement:
    """Return the placement that shows ``crop``, and nothing else, in all of the target."""
    down, across = (crop.bottom - crop.top) / target[0], (crop.right - crop.left) / target[1]
    scale = pixel_ratio(source, target) / sqrt(down * across)
    offset = ((crop.top + crop.bottom - source[0]) / 2, (crop.left + crop.right - source[1]) / 2)
    return placed(source, target, scale, sqrt(across / down), offset)


def offset_of(
    source: Size, target: Size, scale: float, shift: Sequence[float] | None, scale_mode: str = "shortest"
) -> tuple[float, float]:
    """Return how far a shift moves the target's middle, in pixels of the source."""
    room = _room(source, target, scale, scale_mode)
    down, right = shift or (0.0, 0.0)
    return down * room[0], right * room[1]


def _room(source: Size, target: Size, scale: float, scale_mode: str) -> tuple[float, float]:
    """Return how far a shift of 1 moves, as ``make_transform`` has it: whatever angle, shear and aspect are."""
    ratio = pixel_ratio(source, target, scale, scale_mode)
    return abs(source[0] / 2 - target[0] / 2 * ratio), abs(source[1] / 2 - target[1] / 2 * ratio)
