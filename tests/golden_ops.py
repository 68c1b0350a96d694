"""Golden cases of ops: ADAPTERS maps "system:family" to function(args, root) -> what ``expected`` holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from leaven_plugins.ops.compose import Compose
from leaven_plugins.ops.crop import CenterCrop
from leaven_plugins.ops.factors import Brighten, ContrastFactor, Saturate
from leaven_plugins.ops.filters import GaussianBlur, Sharpen, Sinc
from leaven_plugins.ops.flip import Flip
from leaven_plugins.ops.hue import Hue
from leaven_plugins.ops.layout import ToCHW, ToFloat
from leaven_plugins.ops.pad import Pad
from leaven_plugins.ops.resize import Resize
from leaven_plugins.ops.rotate import Rotate

Args = dict[str, Any]

Image = NDArray[Any]

_CALL = re.compile(r"(\w+)(.*)$")
_BETWEEN = re.compile(r", (?![^(]*\))")  # commas outside of brackets
_UNNAMED_PART = 5 / 12  # of the image's size is the size of a Resize that names none


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


def _range(text: str) -> tuple[float, float]:
    value = _numbers(text)[0]
    return value, value


def _flip(text: str, image: Image) -> Flip:
    # named by the axis that lies still
    return Flip(left_right=float("VERTICAL" in text), top_bottom=float("HORIZONTAL" in text))


def _resize(text: str, image: Image) -> Resize:
    size = _numbers(text)[:2] or [side * _UNNAMED_PART for side in image.shape[:2]]
    method = next((name for name in ("nearest", "cubic") if name in text.lower()), "linear")
    return Resize([round(side) for side in size], method, antialias=False)


def _hue(text: str, image: Image) -> Hue:
    # the original turns by a 255th of the circle per unit of 256, and cuts off what is less than a unit
    degrees = int(_numbers(text)[0] * 255) * 360 / 256
    return Hue(hue_range=(degrees, degrees))


_OPS: dict[str, Callable[[str, Image], Any]] = {
    "Flip": _flip,
    "Resize": _resize,
    "Crop": lambda text, image: CenterCrop([int(side) for side in _numbers(text)[:2]]),
    "Rotate": lambda text, image: Rotate(rotate_range=_range(text), enlarge="intact" in text, aligned=False),
    "Brighten": lambda text, image: Brighten(brighten_range=_range(text)),
    "Contrast": lambda text, image: ContrastFactor(contrast_factor_range=_range(text)),
    "Saturate": lambda text, image: Saturate(saturate_range=_range(text)),
    "Hue": _hue,
    "Blur": lambda text, image: GaussianBlur(gaussian_blur_range=_range(text)),
    "Sharpen": lambda text, image: Sharpen(sharpen_range=_range(text)),
    "Sinc": lambda text, image: Sinc(sinc_range=_range(text), diameter=int(_numbers(text)[1])),
    "Pad": lambda text, image: Pad([int(margin) for margin in _numbers(text)]),
    "HWC2CHW": lambda text, image: ToCHW(),
    "End": lambda text, image: ToFloat(),
}


def _comburant(args: Args, root: Path) -> Any:
    """Do the calls that ``args["op"]`` names, such as ``Crop((32,32),central)`` or ``Flip(VERTICAL), End``."""
    calls = [_CALL.match(text).groups() for text in _BETWEEN.split(args["op"])]
    return Compose([_OPS[name](rest, args["img"]) for name, rest in calls])(args["img"])


ADAPTERS: dict[str, Callable[[Args, Path], Any]] = {"nebulae:comburant": _comburant}
