"""RandomResizedCrop: a part of the image, of random area and proportions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any

from leaven.errors import ParameterError
from leaven.protocols import Region
from leaven_plugins.ops.interpolation import LINEAR, check_interpolation, interpolation
from leaven_plugins.ops.ranges import Range, check_probability, check_range, within
from leaven_plugins.rngs.fitting import check_placing
from leaven_plugins.rngs.placing import placed_crop

if TYPE_CHECKING:
    import numpy as np

    from leaven.protocols import ImageInfo
    from leaven.stream.buffers import BufferSpec

_TRIES = 10


@dataclass(frozen=True)
class RandomResizedCrop:
    """Draws a rectangle of the image that is to fill the target, and mirrors.

    Its area is a share of the image's, its width by its height a proportion, whose logarithm is uniform. Of 10
    rectangles the first that fits into the image is taken, at a place where all are as likely; if none fits, the
    largest one in the middle of a proportion within the range.

    A draw has the keys ``scale``, ``aspect`` and ``shift``, under which the target shows just the rectangle, and
    ``hmirror``, ``vmirror`` and ``interp_method``. A worker must not fix one of the first three, or ``scale_mode``, in
    its ``image_params``. Pixels are left to the ops.

    Args:
        area_range: of the rectangle, as a share of the image's area; above 0, at most 1.
        ratio_range: of the rectangle's width by its height; above 0.
        hmirror: probability that left and right are exchanged.
        vmirror: probability that top and bottom are exchanged.
        interpolations: methods to choose from, by number or name; only linear by default.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    area_range: Range = (0.08, 1.0)
    ratio_range: Range = (3 / 4, 4 / 3)
    hmirror: float = 0
    vmirror: float = 0
    interpolations: Sequence[int | str] | None = None

    def __post_init__(self) -> None:
        for name in ("area_range", "ratio_range"):
            check_range(name, getattr(self, name))
        if not (min(self.area_range) > 0 and max(self.area_range) <= 1):
            raise ParameterError(f"area_range is {self.area_range!r}; shares of an area are above 0 and at most 1")
        if not min(self.ratio_range) > 0:
            raise ParameterError(f"ratio_range is {self.ratio_range!r}; proportions have to be positive")
        for name in ("hmirror", "vmirror"):
            check_probability(name, getattr(self, name))
        for method in self.interpolations or ():
            check_interpolation("interpolations", method)

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of one image of the size in ``info``, for a row ``(channels, height, width)``."""
        source, target = (info.height, info.width), spec.shape[-2:]
        hmirror, vmirror, method, *chances = random.random(3 + 4 * _TRIES).tolist()
        methods = self.interpolations or (LINEAR,)
        return {
            **placed_crop(source, target, self._crop(source, iter(chances)))._asdict(),
            "hmirror": hmirror < self.hmirror,
            "vmirror": vmirror < self.vmirror,
            "interp_method": interpolation(methods[int(method * len(methods))]),
        }

    def check(self, fixed: Collection[str], keys: Collection[str]) -> None:
        """Check that a worker leaves the rectangle as it is drawn.

        Raises:
            ParameterError: it fixes a part of what the rectangle is made of.
        """
        check_placing("random_resized_crop", fixed)

    def _crop(self, source: tuple[int, int], chances: Iterator[float]) -> Region:
        rows, columns = source
        logs = [log(ratio) for ratio in self.ratio_range]
        for area, ratio, down, right in zip(chances, chances, chances, chances, strict=True):
            pixels, proportion = within(self.area_range, area) * rows * columns, exp(within(logs, ratio))
            height, width = round(sqrt(pixels / proportion)), round(sqrt(pixels * proportion))
            if 0 < height <= rows and 0 < width <= columns:
                return _region(int(down * (rows - height + 1)), int(right * (columns - width + 1)), height, width)
        return self._middle(rows, columns)

    def _middle(self, rows: int, columns: int) -> Region:
        proportion = min(max(columns / rows, min(self.ratio_range)), max(self.ratio_range))
        height, width = min(rows, round(columns / proportion)), min(columns, round(rows * proportion))
        height, width = max(height, 1), max(width, 1)
        return _region((rows - height) // 2, (columns - width) // 2, height, width)


def _region(top: int, left: int, height: int, width: int) -> Region:
    return Region(top, left, top + height, left + width)
