"""randomize_image: one image through geometry and pixel operations, exactly as defined; fast paths are held to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import suggestion
from leaven_plugins.ops.blur.op import LEAST, add_blur
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.geometry import make_transform, pixel_ratio, supersampling_for
from leaven_plugins.ops.interpolation import LINEAR, interpolation
from leaven_plugins.ops.noise.reference import add_noise_other, add_noise_rgb
from leaven_plugins.ops.rendering import warp
from leaven_plugins.ops.tone.gamma import add_gamma

Image = NDArray[Any]

STEPS = ("tone", "noise", "blur")
"""The pixel operations, in the order in which they run where none is asked for."""


def randomize_image(
    im: Image,
    size: Sequence[int],
    background: Any = None,
    color: bool = True,
    angle: float = 0,
    scale: float = 1,
    shift: Sequence[float] | None = None,
    aspect: float = 1,
    hmirror: bool = False,
    vmirror: bool = False,
    interp_method: int | str = LINEAR,
    gamma_gray: float | None = None,
    gamma_color: Sequence[float] | None = None,
    contrast: float | None = None,
    noise: float | None = None,
    blur: float | None = None,
    shear: float | Sequence[float] | None = None,
    is_rgb: bool = True,
    scale_mode: str = "shortest",
    supersampling: int = 0,
    gpu_augmentation: bool = False,
    do_rotate_and_resize: bool = True,
    order: Sequence[str] | None = None,
    random: np.random.Generator | None = None,
) -> Image:
    """Return an image of ``size`` made of ``im``: geometry first, then those pixel operations that apply.

    Args:
        im: ``(height, width, channels)``; not changed.
        size: height and width of the result.
        background: value outside of ``im``, one or one for each channel; ``None`` for 0.
        color: whether ``gamma_color`` counts.
        angle: this and ``scale``, ``shift``, ``aspect``, ``hmirror``, ``vmirror``, ``shear`` and ``scale_mode`` are
            those of :func:`~leaven_plugins.ops.geometry.make_transform`.
        scale: 1 covers the target or fits into it.
        shift: ``(vertical, horizontal)``, within -1 and 1.
        aspect: above 1 is narrower and taller.
        hmirror: exchange left and right.
        vmirror: exchange top and bottom.
        interp_method: number or name of the interpolation.
        gamma_gray: this, ``gamma_color`` and ``contrast`` are those of
            :func:`~leaven_plugins.ops.tone.gamma.add_gamma`.
        gamma_color: one exponent for each channel.
        contrast: within -1 and 1.
        noise: strength, within 0 and 1.
        blur: sigma relative to the result's width; up to 0.1/448 there is none.
        shear: in pixels of the target.
        is_rgb: whether noise is that of a camera.
        scale_mode: ``"shortest"`` or ``"longest"``.
        supersampling: 0 chooses 1 to 3 by how much the image is reduced.
        gpu_augmentation: leave all pixel operations to somebody else.
        do_rotate_and_resize: ``False`` leaves out geometry.
        order: of the pixel operations, names of :data:`STEPS`; others follow.
        random: the source of chance: of noise, and of the order where none is given.

    Returns:
        ``(*size, channels)`` of the dtype of ``im``.

    Raises:
        ImageError: a value out of range, an unknown step in ``order``, or noise without ``random``.
    """
    if do_rotate_and_resize:
        source = im.shape[:2]
        matrix = make_transform(source, size, angle, scale, aspect, shift, hmirror, vmirror, shear, scale_mode)
        times = supersampling or supersampling_for(pixel_ratio(source, size, scale, scale_mode))
        im = warp(im, matrix, size, interpolation(interp_method), background, times)
    if gpu_augmentation:
        return im
    steps: dict[str, Callable[[Image], Image]] = {}
    if gamma_gray or gamma_color or contrast:
        steps["tone"] = lambda image: add_gamma(image, color, gamma_gray, gamma_color, contrast)
    if noise:
        steps["noise"] = lambda image: _noisy(image, noise, is_rgb, random)
    if blur is not None and blur > LEAST:
        steps["blur"] = lambda image: add_blur(image, blur)
    for step in _ordered(order, random):
        if step in steps:
            im = steps[step](im)
    return im


def _ordered(order: Sequence[str] | None, random: np.random.Generator | None) -> list[str]:
    if order is None:
        return list(STEPS) if random is None else [STEPS[i] for i in random.permutation(len(STEPS))]
    for step in order:
        if step not in STEPS:
            raise ImageError(f"no step {step!r}{suggestion(step, STEPS)}; there are {', '.join(STEPS)}")
    return [*order, *(step for step in STEPS if step not in order)]


def _noisy(image: Image, strength: float, is_rgb: bool, random: np.random.Generator | None) -> Image:
    if random is None:
        raise ImageError("noise needs a source of chance: pass a numpy Generator as random")
    return (add_noise_rgb if is_rgb else add_noise_other)(image, strength, random)
