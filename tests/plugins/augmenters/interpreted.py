"""The kernel by triton's interpreter, which runs it without a device, beside torch's operations.

A program of its own: whether kernels are interpreted is settled when triton is imported.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import torch

from leaven_plugins.augmenters.torch.randomizer import Randomizer
from leaven_plugins.augmenters.triton.randomizer import TritonRandomizer

VALUES = {"gamma_gray": 0.7, "gamma_color": [0.9, 1.0, 1.2], "contrast": 0.4, "noise": 0.15, "blur": 0.04}
ORDERS = [list(order) for order in permutations(["tone", "noise_rgb", "blur"])]
ALL = ("tone", "noise_rgb", "noise_other", "blur")
STATISTICS = ([0.5, 0.4, 0.3], [0.2, 0.25, 0.3])


def pixels(*shape):
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8))


def both(images, values, **parameters):
    """Return what both make of a batch, as float64, and how many batches were not for the kernel."""
    sample = {"image": images, "augmentation": [{"cell": [1, row], **each} for row, each in enumerate(values)]}
    kernel = TritonRandomizer(**parameters)
    one, other = Randomizer(**parameters)(sample)["image"], kernel(sample)["image"]
    assert one.dtype == other.dtype
    return one.double(), other.double(), kernel.fallbacks


def compare(name, images, values, step=1.0, fallbacks=0, **parameters):
    """Rounding may differ by a step here and there; two if a later op makes more of it."""
    one, other, counted = both(images, values, **parameters)
    apart = (one - other).abs() / step
    assert counted == fallbacks, f"{name}: {counted} batches were not for the kernel"
    assert apart.max() <= 2.1, f"{name}: apart by {apart.max()}"
    assert apart.mean() <= 0.03, f"{name}: apart by {apart.mean()} in the mean"


def main():
    few = pixels(2, 3, 20, 28)
    compare("each order", pixels(6, 3, 12, 33), [{**VALUES, "order": order} for order in ORDERS])
    compare("both noises", few, [{"noise": 0.2}, {"noise": 0.3, "contrast": -0.5}], ops=("noise_rgb", "noise_other"))
    compare("three without blur", few, [{"noise": 0.2, "contrast": 0.5}] * 2, ops=ALL)
    compare("one channel", pixels(2, 1, 17, 21), [{**VALUES, "blur": 0}, {"blur": 0.1}])
    compare("a line of pixels", pixels(1, 3, 1, 9), [VALUES])
    compare("a wide blur", pixels(1, 1, 40, 40), [{"blur": 0.3}], ops=["blur"])
    compare("some rows", few, [{**VALUES, "gpu_augmentation": ["blur"]}, {"gpu_augmentation": False, **VALUES}])
    for dtype, step in (("float32", 0.02), ("float16", 0.02), ("bfloat16", 0.12)):  # the interpreter cuts off
        compare(dtype, few, [VALUES, {}], step, normalize=STATISTICS, out_dtype=dtype)
    compare("floats", few.float() / 255, [VALUES] * 2, 1 / 255, fallbacks=1)
    compare("too wide", few, [{"blur": 0.9}] * 2, fallbacks=1)
    compare("too many", few, [{"noise": 0.1, "contrast": 1, "blur": 0.02}] * 2, fallbacks=1, ops=ALL)
    compare("another op", few, [{"hue": 20}, VALUES], fallbacks=1, ops=("tone", "hue"))
    compare("grey", few, [{"noise": 0.2, "color": False}, VALUES], fallbacks=1)
    compare("nothing", few, [{}, {}], fallbacks=0)


if __name__ == "__main__":
    main()
    print("as torch does")
