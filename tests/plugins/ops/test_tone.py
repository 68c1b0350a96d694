from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.tone import Tone
from leaven_plugins.ops.tone.curve import human2gamma, less_contrast, more_contrast, tone_curve
from leaven_plugins.ops.tone.gamma import add_gamma

INFO = ImageInfo(8, 8, 3)


def every_value(dtype, channels=3):
    limits = np.iinfo(dtype)
    values = np.arange(limits.min, limits.max + 1).astype(dtype)
    return np.repeat(values.reshape(1 << (limits.bits // 2), -1, 1), channels, axis=2)


@pytest.mark.parametrize(
    ("human", "gamma"), [(0, 1), (0.5, 0.5), (-0.5, 2), (1, 0.001), (7, 0.001), (-1, 1000), (-7, 1000), (0.998, 0.002)]
)
def test_human2gamma(human, gamma):
    assert human2gamma(human) == pytest.approx(gamma)


def test_curves_go_from_0_to_1_and_against_each_other():
    values = np.linspace(0, 1, 1001)
    for curve in (more_contrast, less_contrast):
        curved = curve(values)
        assert curved[[0, 500, -1]].tolist() == pytest.approx([0, 0.5, 1], abs=1e-12)
        assert (np.diff(curved) > 0).all()
    assert more_contrast(values)[800] > 0.9 > 0.7 > less_contrast(values)[800]


def test_contrast_mixes_and_gamma_follows():
    values = np.linspace(0, 1, 11)
    np.testing.assert_allclose(tone_curve(values, 2.0, 0.25), (0.75 * values + 0.25 * more_contrast(values)) ** 2)
    np.testing.assert_allclose(tone_curve(values, 0.5, -0.25), (0.75 * values + 0.25 * less_contrast(values)) ** 0.5)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_every_integer_is_curved_to_the_nearest(dtype):
    image, limits = every_value(dtype), np.iinfo(dtype)
    changed = add_gamma(image, gamma_gray=1.3, gamma_color=[0.7, 1, 1.6], contrast=0.4)
    values = (image.astype(np.float64) - limits.min) / (limits.max - limits.min)
    ideal = tone_curve(values, 1.3 * np.array([0.7, 1, 1.6]), 0.4) * (limits.max - limits.min) + limits.min
    assert changed.dtype == image.dtype
    assert np.abs(changed - ideal).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float32", "float64", "float16"])
def test_other_depths_follow_the_same_curve(dtype):
    bytes_ = every_value("uint8")
    parts = bytes_ / 255.0
    low, high = (0, 1) if dtype.startswith("f") else (float(np.iinfo(dtype).min), float(np.iinfo(dtype).max))
    image = (low + parts * (high - low)).round(0 if high > 1 else 9).astype(dtype)
    changed = add_gamma(image, gamma_color=[0.8, 1, 1.2], contrast=-0.5)
    assert changed.dtype == dtype
    reference = add_gamma(bytes_, gamma_color=[0.8, 1, 1.2], contrast=-0.5)
    np.testing.assert_allclose((changed.astype(np.float64) - low) / (high - low) * 255, reference, atol=0.7)


def test_floats_outside_their_range_are_clipped():
    changed = add_gamma(np.array([[[-1.0], [2.0]]], np.float32), gamma_gray=0.5, contrast=-1)
    assert changed.ravel().tolist() == [0, 1]


def test_channels():
    gray, rgb = every_value("uint8", 1), every_value("uint8", 3)
    expected = add_gamma(rgb, gamma_color=[0.5, 1, 2])
    np.testing.assert_array_equal(add_gamma(gray, gamma_color=[0.5, 1, 2]), expected)
    np.testing.assert_array_equal(add_gamma(rgb, gamma_color=[2]), add_gamma(rgb, gamma_gray=2))
    np.testing.assert_array_equal(add_gamma(rgb, color=False, gamma_color=[0.5, 1, 2]), rgb)
    for image, gammas in ((rgb, [1, 2]), (np.repeat(gray, 4, 2), [1, 2, 3])):
        with pytest.raises(ImageError, match=f"gamma_color has {len(gammas)} values for an image of"):
            add_gamma(image, gamma_color=gammas)
    with pytest.raises(ImageError, match="bool"):
        add_gamma(rgb > 3, gamma_gray=2)


def test_the_op_ignores_colour_where_there_is_none():
    values = {"gamma_color": [0.5, 1, 2], "gamma_gray": 1.5, "contrast": 0}
    gray = every_value("uint8", 1)
    np.testing.assert_array_equal(Tone().apply(gray, values, None), add_gamma(gray, gamma_gray=1.5))
    rgb = every_value("uint8", 3)
    np.testing.assert_array_equal(Tone().apply(rgb, {**values, "color": False}, None), add_gamma(rgb, gamma_gray=1.5))


def test_what_applies():
    op = Tone()
    nothing = {"gamma_gray": None, "gamma_color": None, "contrast": 0}
    assert not op.applies(nothing)
    assert not op.applies({})
    for key, value in (("gamma_gray", 1.2), ("gamma_color", [1, 1, 2]), ("contrast", -0.1)):
        assert op.applies({**nothing, key: value})


def test_its_own_draw():
    random = np.random.default_rng(0)
    assert not Tone().applies(Tone().draw(random, INFO))
    op = Tone(brightness_range=(-0.5, 0.5), color_range=(0, 0.2), contrast_range=(0.1, 0.3), prob=0.5)
    draws = [op.draw(random, INFO) for _ in range(2000)]
    for key in ("gamma_gray", "gamma_color", "contrast"):
        assert 0.45 < np.mean([bool(draw[key]) for draw in draws]) < 0.55
    assert all(0.5 <= draw["gamma_gray"] <= 2 for draw in draws if draw["gamma_gray"])
    assert all(0.8 <= gamma <= 1 for draw in draws for gamma in draw["gamma_color"] or [])
    assert all(0.1 <= draw["contrast"] <= 0.3 for draw in draws if draw["contrast"])


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"brightness_range": 3}, "brightness_range is 3; it has to be two numbers"),
        ({"color_range": (1, 2, 3)}, "color_range"),
        ({"contrast_range": ("a", "b")}, "contrast_range"),
        ({"contrast_range": (0, float("nan"))}, "contrast_range"),
        ({"prob": 1.1}, "prob is 1.1"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        Tone(**parameters)
