"""How long image operations take, beside what they took on the reference machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from math import sqrt
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import Decoded, Decoder, ImageInfo, Op, Region
from leaven.registry.offers import Offer
from leaven.registry.registry import Registry
from leaven_plugins.commands.bench.timing import least_times
from leaven_plugins.commands.show.examples import made_as_example
from leaven_plugins.ops.geometry import Matrix, make_transform
from leaven_plugins.ops.rendering import view
from leaven_plugins.photos.shipped import photo
from leaven_plugins.workers.image.pixels import write

Image = NDArray[Any]

REFERENCE_MACHINE = "2 vCPU AMD EPYC (Zen 5), Debian 12, Python 3.11, opencv-python-headless 5.0.0, one thread"
"""Where the reference figures were measured, at 224 x 224 x 3."""
REFERENCE_SIZE = 224
_SOURCE = (300, 380)  # height and width of what is resized
RESIZE = "cv2.resize, linear"
_ANGLE = 10  # degrees
_SIGMA = 1 / REFERENCE_SIZE  # relative to the width
_VALUES = {"blur": {"blur": _SIGMA}}  # where the time depends on what is drawn
_TRIED = 100  # draws among which one is looked for that applies


class Figure(NamedTuple):
    """What is known of an operation: microseconds on the reference machine, and those it may take at most."""

    reference_us: float
    goal_us: float | None = None


FIGURES = {
    RESIZE: Figure(60.5),
    "geometry: scale": Figure(60.5, 70),
    "geometry: rotation": Figure(158),
    "split to CHW": Figure(4.6, 8),
    "op tone": Figure(68, 75),
    "op noise_rgb": Figure(8.3, 30),
    "op blur": Figure(124),
}
"""By the names of operations. The reference figures are those of the bare calls of OpenCV that do the work."""


@dataclass(frozen=True)
class Timed:
    """How long one operation takes.

    Attributes:
        name: of the operation.
        us: microseconds, the least of several runs.
        ratio: to a plain ``cv2.resize`` of the same run.
        bare_us: microseconds of the bare calls of OpenCV that do the work; ``None`` where none are known.
        reference_us: microseconds of the same calls on the reference machine; ``None`` where they are not known.
        goal_us: microseconds that the operation may take there; ``None`` without a goal.
    """

    name: str
    us: float
    ratio: float
    bare_us: float | None = None
    reference_us: float | None = None
    goal_us: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it takes no larger multiple of the bare calls than the goal does; ``None`` without a goal."""
        if self.goal_us is None or self.bare_us is None or self.reference_us is None:
            return None
        return self.us / self.bare_us <= self.goal_us / self.reference_us

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {**asdict(self), "met": self.met}


class Measured(NamedTuple):
    """Times of all operations, and why some have none (name -> reason)."""

    times: list[Timed]
    missing: dict[str, str]


def measure_ops(registry: Registry, size: int, rounds: int) -> Measured:
    """Return how long everything takes that is done to an image, ``(size, size, 3)`` of 8 bits, in one thread.

    Args:
        registry: where ops are looked up; each is made as its class' ``example`` says.
        size: height and width in pixels.
        rounds: how many times everything is measured; the least time counts.
    """
    functions = _steps(registry, size)
    missing: dict[str, str] = {}
    image = _photo(registry, size, size)
    for offer in registry.offers("op"):
        try:
            functions[f"op {offer.name}"] = _op_call(offer, registry, image)
        except Exception as error:  # of whatever kind: an op of somebody's does not keep others from being measured
            missing[f"op {offer.name}"] = f"{type(error).__name__}: {error}"
    bare = _bare_calls(registry, size)
    seconds = _least_single_threaded({**functions, **{f"bare {name}": call for name, call in bare.items()}}, rounds)
    plain = seconds[f"bare {RESIZE}"]
    return Measured([_timed(name, seconds, plain, size) for name in [RESIZE, *functions]], missing)


def _least_single_threaded(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(0)
    try:
        return least_times(functions, rounds)
    finally:
        cv2.setNumThreads(threads)


def _timed(name: str, seconds: Mapping[str, float], plain: float, size: int) -> Timed:
    bare = seconds.get(f"bare {name}")
    spent = seconds.get(name, plain)
    figure = FIGURES.get(name) if size == REFERENCE_SIZE else None
    reference, goal = figure or (None, None)
    return Timed(name, _us(spent), round(spent / plain, 3), bare and _us(bare), reference, goal)


def _us(seconds: float) -> float:
    return round(seconds * 1e6, 2)


def _steps(registry: Registry, size: int) -> dict[str, Callable[[], object]]:
    """Return what is done to every image: geometry by resizing or by a warp, and the way into the batch."""
    height, width = _SOURCE
    decoded = Decoded(_photo(registry, height, width), Region(0, 0, height, width), 1.0)
    scaled, turned = (_showing_all(size, angle) for angle in (0, _ANGLE))
    image, row = _photo(registry, size, size), np.empty((3, size, size), np.uint8)
    return {
        "geometry: scale": lambda: view(decoded, scaled, (size, size)),
        "geometry: rotation": lambda: view(decoded, turned, (size, size)),
        "split to CHW": lambda: write(image, row),
    }


def _bare_calls(registry: Registry, size: int) -> dict[str, Callable[[], object]]:
    """Return the calls of OpenCV that do the work of the operations in :data:`FIGURES`."""
    source, image = _photo(registry, *_SOURCE), _photo(registry, size, size)
    row, table, noise = np.empty((3, size, size), np.uint8), np.zeros((1, 256, 3), np.uint8), image // 8
    turned, flags = _showing_all(size, _ANGLE), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    resize = partial(cv2.resize, source, (size, size), interpolation=cv2.INTER_LINEAR)
    return {
        RESIZE: resize,
        "geometry: scale": resize,
        "geometry: rotation": lambda: cv2.warpAffine(source, turned, (size, size), flags=flags),
        "split to CHW": lambda: cv2.split(image, [row[0], row[1], row[2]]),
        "op tone": lambda: cv2.LUT(image, table),
        "op noise_rgb": lambda: cv2.subtract(cv2.add(image, noise), noise),
        "op blur": lambda: cv2.GaussianBlur(image, (0, 0), _SIGMA * size),
    }


def _showing_all(size: int, angle: float) -> Matrix:
    """Return the matrix that shows all of the source, and nothing else where the angle is 0."""
    stretch = sqrt(_SOURCE[1] / _SOURCE[0])
    return make_transform(_SOURCE, (size, size), angle, scale=1 / stretch, aspect=stretch)


def _op_call(offer: Offer, registry: Registry, image: Image) -> Callable[[], object]:
    """Return what applies an op to the image.

    Raises:
        LeavenError: it cannot be made, or none of its draws applies.
    """
    op: Op = made_as_example(offer, registry)
    random = np.random.default_rng(0)
    values = _VALUES.get(offer.name) or _applying(op, image, random)
    op.apply(image, values, random)
    return lambda: op.apply(image, values, random)


def _applying(op: Op, image: Image, random: np.random.Generator) -> dict[str, Any]:
    info = ImageInfo(*image.shape)
    for _ in range(_TRIED):
        values = op.draw(random, info)
        if op.applies(values):
            return values
    raise ParameterError(f"none of {_TRIED} draws applies")


def _photo(registry: Registry, height: int, width: int) -> Image:
    decoder: Decoder = registry.create("decoder:opencv")
    resized = cv2.resize(decoder.decode(photo("chelsea")).image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(resized)
