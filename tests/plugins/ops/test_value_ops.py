"""Ops that change values, against a few lines of numpy each."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven.testing.tools import picture
from leaven_plugins.ops.color_jitter import ColorJitter
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.factors import Brighten, ContrastFactor, Saturate
from leaven_plugins.ops.filters import GaussianBlur, Sharpen, Sinc
from leaven_plugins.ops.filters.kernels import sinc_kernel
from leaven_plugins.ops.grayscale import Grayscale
from leaven_plugins.ops.histogram import Autocontrast, Equalize
from leaven_plugins.ops.hue import Hue, Saturation
from leaven_plugins.ops.levels import Posterize, Solarize

INFO = ImageInfo(24, 32, 3)
DTYPES = ["uint8", "uint16", "int16", "float32"]
LUMA = np.array([0.299, 0.587, 0.114])


def of(op, image, value):
    return op.apply(image, {op.keys[0]: value}, np.random.default_rng(0))


def limits(dtype):
    return (0, 1) if dtype == "float32" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


def image_of(dtype, channels=3, colourful=True):
    """An image over most of the dtype's range."""
    low, high = limits(dtype)
    unit = picture(channels=channels) / 255
    if colourful and channels == 3:
        unit = unit * [1, 0.7, 0.4]
    values = low + unit * (high - low)
    return values.astype(dtype) if dtype == "float32" else np.rint(values).astype(dtype)


def unit(image):
    low, high = limits(str(image.dtype))
    return (image.astype(np.float64) - low) / (high - low)


def assert_near(image, expected, levels=0.51):
    """Compare with values in [0, 1]; ``levels`` of 8 bits may be between them."""
    assert np.abs(unit(image) - np.clip(expected, 0, 1)).max() <= levels / 255


# ---- factors


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("factor", [0, 0.4, 1.3, 3])
def test_brighten_multiplies(dtype, channels, factor):
    image = image_of(dtype, channels)
    assert_near(of(Brighten(), image, factor), unit(image) * factor)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("factor", [0, 0.4, 1.3, 3])
def test_contrast_factor_leads_away_from_the_mean(dtype, channels, factor):
    image = image_of(dtype, channels)
    weights = LUMA if channels == 3 else np.full(channels, 1 / channels)
    mean = (unit(image) @ weights).mean()
    assert_near(of(ContrastFactor(), image, factor), factor * unit(image) + (1 - factor) * mean)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [0, 0.4, 1.3, 3])
def test_saturate_leads_away_from_grey(dtype, factor):
    image = image_of(dtype)
    grey = (unit(image) @ LUMA)[..., None]
    # fixed point arithmetic of 8 bits
    assert_near(of(Saturate(), image, factor), factor * unit(image) + (1 - factor) * grey, 1.01)


@pytest.mark.parametrize("op", [Saturate(), Hue(), Saturation()])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_what_has_no_colour_stays(op, channels):
    image = picture(channels=channels)
    np.testing.assert_array_equal(of(op, image, 0.5), image)


# ---- hue and saturation


@pytest.mark.parametrize("degrees", [-370, -100, 15, 120, 180])
def test_hue_turns(degrees):
    image = image_of("float32")
    hsv = [colorsys.rgb_to_hsv(*pixel) for pixel in image.reshape(-1, 3).tolist()]
    turned = [colorsys.hsv_to_rgb((h + degrees / 360) % 1, s, v) for h, s, v in hsv]
    expected = np.reshape(turned, image.shape)
    assert_near(of(Hue(), image, degrees), expected, 0.01)
    for dtype, levels in (("uint16", 0.01), ("int16", 0.01), ("uint8", 12)):  # of 256 hues and saturations
        found = of(Hue(), image_of(dtype), degrees)
        assert_near(found, expected, levels)
        assert np.abs(unit(found) - expected).mean() < 2 / 255


def test_hue_names_colours():
    red = np.uint8([[[200, 0, 0]]])
    for degrees, expected in ((120, [0, 200, 0]), (-120, [0, 0, 200]), (180, [0, 200, 200])):
        np.testing.assert_allclose(of(Hue(), red, degrees)[0, 0], expected, atol=6)  # a 256th of the circle


@pytest.mark.parametrize("amount", [-1, -0.4, 0.3, 1])
def test_saturation_keeps_the_brightest_channel(amount):
    image = image_of("float32")
    top = image.max(2, keepdims=True)
    share = np.minimum((1 + amount) * (top - image.min(2, keepdims=True)), top) / np.maximum(
        top - image.min(2, keepdims=True), 1e-9
    )
    expected = top - (top - image) * share
    assert_near(of(Saturation(), image, amount), expected, 0.1)
    assert_near(of(Saturation(), image_of("uint16"), amount), expected, 0.1)
    assert np.abs(unit(of(Saturation(), image_of("uint8"), amount)) - expected).mean() < 2 / 255


def test_colour_jitter_is_its_steps_in_the_drawn_order():
    image = picture()
    values = {"hue": 30.0, "brighten": 1.3, "saturate": 0.5, "contrast_factor": 1.4}
    one_by_one = image
    for op in (Hue(), Brighten(), Saturate(), ContrastFactor()):
        one_by_one = of(op, one_by_one, values[op.name])
    np.testing.assert_array_equal(of(ColorJitter(), image, values), one_by_one)
    backwards = of(ColorJitter(), image, dict(reversed(values.items())))
    assert (backwards != one_by_one).any()


def test_colour_jitter_draws_what_has_a_range_in_every_order():
    op = ColorJitter(brighten_range=(0.5, 1.5), hue_range=(-36, 36))
    draws = [op.draw(np.random.default_rng(seed), INFO)["color_jitter"] for seed in range(200)]
    assert {tuple(draw) for draw in draws} == {("brighten", "hue"), ("hue", "brighten")}
    assert all(0.5 <= draw["brighten"] <= 1.5 and -36 <= draw["hue"] <= 36 for draw in draws)
    with pytest.raises(ImageError, match="no step 'bright'; there are brighten"):
        of(op, picture(), {"bright": 1})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_grayscale_has_equal_channels(dtype, channels):
    image = image_of(dtype, channels)
    grey = of(Grayscale(), image, True)
    weights = LUMA if channels == 3 else np.full(channels, 1 / channels)
    assert_near(grey, np.repeat((unit(image) @ weights)[..., None], channels, 2), 1.01)
    assert (grey == grey[:, :, :1]).all()


# ---- filters


@pytest.mark.parametrize("dtype", DTYPES)
def test_gaussian_blur_is_a_kernel_of_twice_the_radius_and_one(dtype):
    impulse = np.full((15, 15, 1), limits(dtype)[0], dtype)
    impulse[7, 7] = limits(dtype)[1]
    sigma = 0.3 * ((5 - 1) * 0.5 - 1) + 0.8
    line = np.exp(-0.5 * (np.arange(-2, 3) / sigma) ** 2)
    expected = np.zeros((15, 15, 1))
    expected[5:10, 5:10, 0] = np.outer(line, line) / line.sum() ** 2
    assert_near(of(GaussianBlur(), impulse, 2), expected, 2.1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("factor", "radius"), [(0.2, 1), (1.5, 1), (2.5, 2), (7, 3)])
def test_sharpen_leads_away_from_the_blurred_image(dtype, factor, radius):
    image = image_of(dtype)
    soft = unit(of(GaussianBlur(), image, radius))
    assert_near(of(Sharpen(), image, factor), factor * unit(image) + (1 - factor) * soft)


def test_sinc_kernel():
    """Values of the Bessel function from tables: J1(0.5) = 0.2422684577, J1(1) = 0.4400505857."""
    kernel = sinc_kernel(0.5, 5)
    ratio = (0.5 * 0.4400505857 / (2 * np.pi * 2)) / (0.5 * 0.2422684577 / (2 * np.pi))
    assert kernel[2, 0] / kernel[2, 1] == pytest.approx(ratio, rel=1e-8)
    assert kernel[2, 2] / kernel[2, 1] == pytest.approx((0.25 / (4 * np.pi)) / (0.5 * 0.2422684577 / (2 * np.pi)))
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, kernel.T)
    np.testing.assert_allclose(sinc_kernel(2.0, 6), sinc_kernel(2.0, 6)[::-1, ::-1])
    assert not kernel.flags.writeable


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("diameter", [1, 4, 7])
def test_sinc_is_a_convolution_with_symmetric_borders(dtype, diameter):
    image = image_of(dtype)
    kernel = sinc_kernel(1.2, diameter)
    after = (diameter - 1) // 2
    wide = np.pad(unit(image), ((diameter - 1 - after, after),) * 2 + ((0, 0),), "symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (diameter, diameter), (0, 1))
    assert_near(of(Sinc(diameter=diameter), image, 1.2), np.einsum("hwcij,ij->hwc", windows, kernel), 0.6)


# ---- levels


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threshold", [0, 0.5, 0.503, 1])
def test_solarize_inverts_from_the_threshold_on(dtype, threshold):
    image = image_of(dtype)
    values = unit(image)
    assert_near(of(Solarize(), image, threshold), np.where(values >= threshold, 1 - values, values), 0.01)


def test_solarize_of_bytes_is_exact():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    np.testing.assert_array_equal(of(Solarize(), ramp, 128 / 255), np.where(ramp >= 128, 255 - ramp, ramp))


@pytest.mark.parametrize("bits", [1, 3, 7, 8])
def test_posterize_keeps_the_first_bits(bits):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    kept = ramp >> (8 - bits) << (8 - bits)
    np.testing.assert_array_equal(of(Posterize(), ramp, bits), kept)
    deep = ramp.astype(np.uint16) * 257
    np.testing.assert_array_equal(of(Posterize(), deep, bits) >> 8, kept)
    signed = (deep.astype(np.int32) - 32768).astype(np.int16)
    np.testing.assert_array_equal(of(Posterize(), signed, bits).astype(int) + 32768, of(Posterize(), deep, bits))
    floats = of(Posterize(), ramp.astype(np.float32) / 255, bits)
    assert len(np.unique(floats)) == 2**bits
    assert floats.max() == pytest.approx(1 - 2.0**-bits)


def test_more_bits_than_there_are_change_nothing():
    image = picture()
    np.testing.assert_array_equal(of(Posterize(), image, 12), image)


# ---- histograms


@pytest.mark.parametrize("dtype", DTYPES)
def test_equalize_spreads_the_levels(dtype):
    image = image_of(dtype) if dtype != "uint8" else image_of(dtype) // 2 + 20
    flat = of(Equalize(), image, True)
    for channel in range(3):
        values, counts = np.unique(image[..., channel], return_counts=True)
        below = np.cumsum(counts)
        shares = (below - counts[0]) / (below[-1] - counts[0])
        expected = shares[np.searchsorted(values, image[..., channel])]
        assert_near(flat[..., channel], expected, 0.6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_autocontrast_reaches_black_and_white(dtype):
    low, high = limits(dtype)
    image = (image_of(dtype).astype(np.float64) / 2 + (0.3 * (high - low) + low) / 2).astype(dtype)
    changed = of(Autocontrast(), image, True)
    part = unit(image)
    least, most = part.min((0, 1)), part.max((0, 1))
    assert_near(changed, (part - least) / (most - least))
    np.testing.assert_allclose(unit(changed).min((0, 1)), 0, atol=1e-6)
    np.testing.assert_allclose(unit(changed).max((0, 1)), 1, atol=1e-6)


@pytest.mark.parametrize("op", [Autocontrast(), Equalize()])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_single_level_stays(op, dtype):
    low, high = limits(dtype)
    image = np.full((6, 7, 3), (low + high) / 3, dtype)
    np.testing.assert_array_equal(of(op, image, True), image)


# ---- what they have in common


@pytest.mark.parametrize(
    ("op", "limits"),
    [
        (Brighten(brighten_range=(0.5, 2), prob=0.3), (0.5, 2)),
        (Hue(hue_range=(20, -20), prob=0.3), (-20, 20)),
        (Posterize(posterize_range=(3, 5), prob=0.3), (3, 5)),
    ],
)
def test_draws_lie_in_the_range_as_often_as_asked(op, limits):
    random = np.random.default_rng(0)
    drawn = [op.draw(random, INFO)[op.name] for _ in range(3000)]
    found = [value for value in drawn if value is not None]
    assert 0.27 < len(found) / len(drawn) < 0.33
    assert all(limits[0] <= value <= limits[1] for value in found)
    if op.whole:
        counts = np.bincount(found)[3:]
        assert len(counts) == 3
        assert counts.min() > 0.25 * len(found)
    assert type(op)().draw(random, INFO) == {op.name: None}


@pytest.mark.parametrize(
    ("op", "idle"), [(Brighten(), 1), (ContrastFactor(), 1), (Saturate(), 1), (Sharpen(), 1), (Hue(), 0)]
)
def test_a_value_that_changes_nothing_does_not_apply(op, idle):
    assert not op.applies({op.name: idle})
    assert not op.applies({op.name: None})
    assert op.applies({op.name: 0.7})


@pytest.mark.parametrize(
    ("kind", "params", "text"),
    [
        (Brighten, {"brighten_range": (-1, 1)}, "brighten_range is"),
        (Saturation, {"saturation_range": (0, 1.5)}, "within -1 and 1"),
        (Posterize, {"posterize_range": (0, 8)}, "within 1 and 16"),
        (Solarize, {"solarize_range": (0, 128)}, "within 0 and 1"),
        (Hue, {"hue_range": 3}, "hue_range is 3"),
        (Grayscale, {"prob": 2}, "prob is 2"),
        (Sinc, {"sinc_range": (0.0, 1)}, "within 0.01"),
        (Sinc, {"diameter": 0}, "diameter is 0"),
        (ColorJitter, {"saturate_range": (-1, 1)}, "saturate_range is"),
    ],
)
def test_parameters_are_checked(kind, params, text):
    with pytest.raises(ParameterError, match=text):
        kind(**params)


@pytest.mark.parametrize(("op", "value"), [(Brighten(), -1), (Posterize(), 0), (Solarize(), 2), (Saturation(), 1.2)])
def test_values_of_a_draw_are_checked(op, value):
    with pytest.raises(ImageError, match=f"{op.name} is {value}"):
        of(op, picture(), value)


@pytest.mark.parametrize("op", [Brighten(), Sharpen(), Solarize(), Equalize(), Autocontrast()])
def test_images_of_other_forms_are_named(op):
    with pytest.raises(ImageError, match="of float64; it has to be"):
        of(op, picture().astype(np.float64), 1)
    with pytest.raises(ImageError, match=r"shape is \(24, 32\)"):
        of(op, picture()[:, :, 0], 1)


def test_greys_are_those_of_opencv():
    image = image_of("uint8")
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(of(Grayscale(), image, True)[..., 0], gray)
