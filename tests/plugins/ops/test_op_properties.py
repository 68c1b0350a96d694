"""What holds for every op, for any image: it is pure, repeats itself and keeps depth and, where it says so, shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leaven
from leaven.protocols import ImageInfo
from leaven_plugins.ops.compose import Compose

DTYPES = ["uint8", "uint16", "int16", "float32"]
RANGES = {
    "brighten": [0, 3],
    "contrast_factor": [0, 3],
    "saturate": [0, 3],
    "hue": [-720, 720],
    "saturation": [-1, 1],
    "sharpen": [0, 9],
    "gaussian_blur": [1, 4],
    "sinc": [0.01, 3.15],
    "solarize": [0, 1],
    "posterize": [1, 16],
    "jpeg": [1, 100],
    "gaussian_noise": [0, 1],
    "poisson_noise": [0, 100],
    "rotate": [-360, 360],
}
OTHERS = {
    "color_jitter": {"brighten_range": [0.5, 2], "saturate_range": [0, 2], "hue_range": [-90, 90]},
    "grayscale": {},
    "equalize": {},
    "autocontrast": {},
    "erasing": {"prob": 1, "count_range": [1, 3], "fill": "noise"},
    "cutout": {"holes": 3, "fill": "color"},
    "flip": {"left_right": 0.5, "top_bottom": 0.5},
    "random_resized_crop": {"area_range": [0.01, 1], "ratio_range": [0.1, 10]},
    "sometimes": {"op": "equalize"},
    "one_of": {"ops": ["flip", {"use": "hue", "hue_range": [-90, 90]}, "nothing"]},
}
SAME_SIZE = {name: {f"{name}_range": limits} for name, limits in RANGES.items()} | OTHERS
OTHER_SIZE = {
    "resize": {"size": [5, 9]},
    "pad": {"margins": [0, 1, 2, 3], "mode": "edge"},
    "random_crop": {"size": [4, 5], "padding": 1},
    "center_crop": {"size": [7, 3]},
    "to_chw": {},
}


@st.composite
def images(draw):
    """Images of all depths, odd sizes and any number of channels, some of a single value, some extreme."""
    height, width, channels = draw(st.integers(1, 19)), draw(st.integers(1, 19)), draw(st.sampled_from([1, 2, 3, 4, 6]))
    dtype = draw(st.sampled_from(DTYPES))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, high = (0, 1) if dtype == "float32" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    kind = draw(st.sampled_from(["any", "extreme", "flat"]))
    part = random.random((height, width, channels) if kind != "flat" else 1) + np.zeros((height, width, channels))
    image = (low + (np.round(part) if kind == "extreme" else part) * (high - low)).astype(dtype)
    return image[:, :: draw(st.sampled_from([1, -1]))]


@pytest.mark.parametrize("name", [*SAME_SIZE, *OTHER_SIZE])
@settings(max_examples=25, deadline=None)
@given(image=images(), seed=st.integers(0, 2**32))
def test_every_op_on_any_image(name, image, seed):
    op = leaven.create(f"op:{name}", **(SAME_SIZE | OTHER_SIZE)[name])
    before = image.copy()
    image.flags.writeable = False
    values = op.draw(np.random.default_rng(seed), ImageInfo(*image.shape))
    assert values == op.draw(np.random.default_rng(seed), ImageInfo(*image.shape))
    if not op.applies(values):
        return
    changed = op.apply(image, values, np.random.default_rng(seed))
    np.testing.assert_array_equal(changed, op.apply(image, values, np.random.default_rng(seed)))
    np.testing.assert_array_equal(image, before)
    assert changed.dtype == image.dtype
    assert changed.ndim == 3
    assert getattr(op, "keeps_size", True) is (name in SAME_SIZE)
    if name in SAME_SIZE:
        assert changed.shape == image.shape
    if image.dtype == np.float32:
        assert changed.min() >= -1e-6
        assert changed.max() <= 1 + 1e-6


@settings(max_examples=40, deadline=None)
@given(image=images(), seed=st.integers(0, 2**32), names=st.lists(st.sampled_from(sorted(SAME_SIZE)), max_size=4))
def test_chains_of_them_replay(image, seed, names):
    ops = [{"use": name, **SAME_SIZE[name]} for name in names]
    done, record = Compose(ops)(image, seed=seed, record=True)
    assert (done.shape, done.dtype) == (image.shape, image.dtype)
    np.testing.assert_array_equal(Compose(ops).replay(image, record), done)
