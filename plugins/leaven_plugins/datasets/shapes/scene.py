"""Scenes: what a picture shows, drawn by chance, and how it is painted."""

from __future__ import annotations

from colorsys import hsv_to_rgb
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.datasets.shapes.forms import FORMS

Pixels = NDArray[np.uint8]
Color = tuple[float, float, float]

_MOST = 4  # objects in a picture
_LARGE, _SMALL = (0.2, 0.3), (0.08, 0.13)  # radii, relative to the picture's shorter side
_GRAIN = 5.0  # standard deviation of the finest texture, of 255
_TRIES = 20


class Thing(NamedTuple):
    """One object: number of its class, middle and radius in pixels, turn in radians, colour (RGB, 0 to 255)."""

    form: int
    x: float
    y: float
    radius: float
    turn: float
    color: Color


class Painted(NamedTuple):
    """A picture, ``(height, width, 3)``, and its mask, ``(height, width)``: 0, or 1 + the number of a class."""

    image: Pixels
    mask: Pixels


def draw_things(size: tuple[int, int], classes: int, random: np.random.Generator) -> list[Thing]:
    """Return the objects of a picture: a large one, and up to three small ones that it does not touch."""
    hue = random.random()
    things = [_thing(size, classes, _LARGE, hue, random)]
    for number in range(int(random.integers(_MOST))):
        for _ in range(_TRIES):
            thing = _thing(size, classes, _SMALL, hue + (number + 1) / _MOST, random)
            if all(_apart(thing, other) for other in things):
                things.append(thing)
                break
    return things


def paint(size: tuple[int, int], things: list[Thing], forms: list[str], random: np.random.Generator) -> Painted:
    """Paint objects on a textured ground.

    Outlines are smooth in the picture; the mask has a class where the middle of a pixel lies within the outline.
    """
    canvas = _ground(size, random)
    mask = np.zeros(size, np.uint8)
    for thing in things:
        top, left, bottom, right = _box(thing, size)
        rows, columns = np.mgrid[top:bottom, left:right] + 0.5
        across, down = (columns - thing.x) / thing.radius, (rows - thing.y) / thing.radius
        c, s = np.cos(thing.turn), np.sin(thing.turn)
        distance = FORMS[forms[thing.form]](c * across + s * down, c * down - s * across) * thing.radius
        shading = 1.0 - 0.22 * (across + down)[:, :, None]  # light from the upper left
        cover = np.clip(0.5 - distance, 0, 1)[:, :, None]
        patch = canvas[top:bottom, left:right]
        patch += cover * (np.asarray(thing.color) * shading - patch)
        mask[top:bottom, left:right][distance < 0] = thing.form + 1
    canvas += random.normal(0, _GRAIN, (*size, 1))
    return Painted(np.clip(np.rint(canvas), 0, 255).astype(np.uint8), mask)


def _thing(
    size: tuple[int, int], classes: int, radii: tuple[float, float], hue: float, random: np.random.Generator
) -> Thing:
    height, width = size
    form = int(random.integers(classes))
    chances: list[float] = random.random(5).tolist()
    radius = min(size) * (radii[0] + (radii[1] - radii[0]) * chances[0])
    reach = 1.2 * radius
    x, y = (reach + (length - 2 * reach) * chance for length, chance in zip((width, height), chances[1:3], strict=True))
    red, green, blue = hsv_to_rgb((hue + 0.08 * chances[3]) % 1, 0.78, 0.9)
    return Thing(form, x, y, radius, 2 * np.pi * chances[4], (255 * red, 255 * green, 255 * blue))


def _apart(one: Thing, other: Thing) -> bool:
    return float(np.hypot(one.x - other.x, one.y - other.y)) > 1.6 * (one.radius + other.radius)


def _box(thing: Thing, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the part of the picture that the object, with its corners, may cover."""
    reach = 1.6 * thing.radius + 1
    top, left = max(int(thing.y - reach), 0), max(int(thing.x - reach), 0)
    return top, left, min(int(thing.y + reach) + 1, size[0]), min(int(thing.x + reach) + 1, size[1])


def _ground(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    """Return a pale, cloudy texture: coarse patches of colour, and finer ones of brightness."""
    base = np.asarray(hsv_to_rgb(float(random.random()), 0.12, 0.45 + 0.25 * random.random())) * 255
    patches = _clouds(size, 4, 3, random) * 14
    spots = _clouds(size, 24, 1, random) * 12
    return base + patches + spots


def _clouds(size: tuple[int, int], cells: int, channels: int, random: np.random.Generator) -> NDArray[np.float64]:
    grid = random.normal(size=(cells, cells, channels))
    clouds = cv2.resize(grid, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(clouds, np.float64).reshape(*size, channels)
