"""Golden cases of images: ADAPTERS maps "crumpets:family" to function(args, root) -> what ``expected`` holds.

``root`` is the folder of the golden vectors: some inputs are described in words, and made here from arrays in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.protocols import ImageInfo
from leaven.stream.buffers import buffer_spec, make_fill_value
from leaven.testing.tools import run_worker
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.ops.blur.op import add_blur
from leaven_plugins.ops.geometry import make_transform
from leaven_plugins.ops.noise.reference import add_noise_other, add_noise_rgb
from leaven_plugins.ops.randomize import randomize_image
from leaven_plugins.ops.tone import curve
from leaven_plugins.ops.tone.gamma import add_gamma
from leaven_plugins.rngs.mixture.rng import MixtureRNG
from leaven_plugins.workers.classification.worker import ClassificationWorker

Args = dict[str, Any]

_DRAWS = 20_000
_STEPS = {"gamma": "tone"}  # the original's name of a step, where ours is another


def _image(described: Any, root: Path) -> NDArray[Any]:
    """Return an input image; a text says how to make it."""
    if isinstance(described, np.ndarray):
        return described if described.ndim == 3 else described.reshape(-1, 1, 1)
    if gray := re.match(r"cv2.COLOR_RGB2GRAY of (\w+)", described):
        with np.load(root / "crumpets.npz", allow_pickle=False) as arrays:
            return cv2.cvtColor(arrays[gray[1]], cv2.COLOR_RGB2GRAY)[:, :, None]
    height, width, channels = map(int, re.match(r"(\d+)x(\d+)x(\d+)", described).groups())
    if "ramp" in described:
        ramp = np.arange(height * width, dtype=np.uint8).reshape(height, width, 1)
        return np.repeat(ramp, channels, axis=2)
    if value := re.search(r"all (\d+)", described):
        return np.full((height, width, channels), int(value[1]), np.uint8)
    value, row, column = map(int, re.search(r"zeros with (\d+) at row (\d+), col (\d+)", described).groups())
    image = np.zeros((height, width, channels), np.uint8)
    image[row, column] = value
    return image


def _human2gamma(args: Args, root: Path) -> Any:
    return np.array([curve.human2gamma(human) for human in args["human"].tolist()])


def _lut_constants(args: Args, root: Path) -> Any:
    return {name: getattr(curve, name) for name in ("SIGMOID_RANGE", "SIGMOID_OFFSET", "TANH_RANGE", "TANH_OFFSET")}


def _luts(args: Args, root: Path) -> Any:
    base = np.arange(256) / 255
    return {
        "base": base,
        "positive_contrast": curve.more_contrast(base),
        "negative_contrast": curve.less_contrast(base),
    }


def _add_gamma(args: Args, root: Path) -> Any:
    image = _image(args["im"], root)
    changed = add_gamma(image, **{key: value for key, value in args.items() if key != "im"})
    return changed.reshape(-1, 3) if changed.shape[2] == 3 else changed.ravel()


def _make_transform(args: Args, root: Path) -> Any:
    return make_transform(**args)


def _randomize_image(args: Args, root: Path) -> Any:
    given = dict(args, im=_image(args["im"], root))
    order = given.pop("forced_order", None)
    if isinstance(given.get("background"), int):  # the original filled the first channel alone; ours fills all
        given["background"] = [given["background"], 0, 0]
    return randomize_image(**given, order=order and [_STEPS.get(step, step) for step in order])


def _add_blur(args: Args, root: Path) -> Any:
    return add_blur(_image(args["im"], root), args["sigma"])[:, :, 0]


def _noise(add_noise: Callable[..., NDArray[Any]]) -> Callable[[Args, Path], Any]:
    def adapter(args: Args, root: Path) -> Any:
        noisy = add_noise(_image(args["im"], root), args["strength"], np.random.default_rng(1)).astype(np.float64)
        return {name: getattr(noisy, name)((0, 1)) for name in ("mean", "std", "min", "max")}

    return adapter


def _mixture(args: Args, root: Path) -> Any:
    rng, random = MixtureRNG(**args), np.random.default_rng(2)
    info, spec = ImageInfo(100, 100, 3), buffer_spec(((3, 64, 64), "uint8"))
    if not args:  # the keys; the original draws its order elsewhere
        return sorted(set(rng.draw(info, spec, random)) - {"order"})
    draws = [rng.draw(info, spec, random) for _ in range(_DRAWS)]
    return {key: _statistics([draw[key] for draw in draws]) for key in draws[0] if key != "order"}


def _statistics(values: list[Any]) -> dict[str, Any]:
    present = [value for value in values if value not in (None, 0)]
    found: dict[str, Any] = {"fraction_set": len(present) / len(values)}
    if present:
        columns = np.array(present, np.float64).reshape(len(present), -1)
        found |= {name: getattr(columns, name)(0).tolist() for name in ("mean", "std", "min", "max")}
        found["n"] = len(present)
    return found


def _make_fill_value(args: Args, root: Path) -> Any:
    return make_fill_value(tuple(args["shape"]), args["dtype"], args["fill_value"])


def _make_buffer(args: Args, root: Path) -> Any:
    return buffer_spec((args["shape"], args["dtype"], args["fill_value"])).allocate(args["batchsize"])


def _classification_worker(args: Args, root: Path) -> Any:
    worker = ClassificationWorker(
        args["image_spec"], args["label_spec"], args["image_params"], ops=(), decoder=OpenCVDecoder(), exact=True
    )
    sample = args["sample"]
    return run_worker(worker, [{**sample, "image": sample["image"].tobytes()}])


ADAPTERS: dict[str, Callable[[Args, Path], Any]] = {
    "crumpets:human2gamma": _human2gamma,
    "crumpets:lut_constants": _lut_constants,
    "crumpets:luts_uint8": _luts,
    "crumpets:add_gamma_u8": _add_gamma,
    "crumpets:add_gamma_u16": _add_gamma,
    "crumpets:add_gamma_gray_to_rgb": _add_gamma,
    "crumpets:make_transform": _make_transform,
    "crumpets:randomize_image": _randomize_image,
    "crumpets:randomize_image_nonsquare": _randomize_image,
    "crumpets:randomize_image_gray": _randomize_image,
    "crumpets:op_order": _randomize_image,
    "crumpets:add_blur_impulse": _add_blur,
    "crumpets:noise_rgb_stats": _noise(add_noise_rgb),
    "crumpets:noise_other_stats": _noise(add_noise_other),
    "crumpets:mixture_rng": _mixture,
    "crumpets:make_fill_value": _make_fill_value,
    "crumpets:make_buffer": _make_buffer,
    "crumpets:classification_worker": _classification_worker,
}
