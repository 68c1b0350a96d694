"""Ops that take something away from an image: parts of it, precision, signal."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven.testing.tools import picture
from leaven_plugins.ops.compression import Jpeg, Webp
from leaven_plugins.ops.erasing import Cutout, Erasing
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.grain import GaussianNoise, PoissonNoise

DTYPES = ["uint8", "uint16", "int16", "float32"]


def rng(seed=0):
    return np.random.default_rng(seed)


def full(dtype, part, shape=(128, 96, 3)):
    """An image of one value, ``part`` of the dtype's range."""
    low, high = (0, 1) if dtype == "float32" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return np.full(shape, low + part * (high - low), dtype), float(high) - float(low)


# ---- erasing and cutout


def test_erasing_fills_exactly_its_rectangles():
    image = picture(20, 30) | 1  # nothing is 0
    erased = Erasing().apply(image, {"erasing": [[0.1, 0.2, 0.5, 0.4], [0.9, 0.9, 1, 1]]}, rng())
    mask = np.zeros((20, 30), bool)
    mask[2:10, 6:12] = mask[18:, 27:] = True
    assert (erased[mask] == 0).all()
    np.testing.assert_array_equal(erased[~mask], image[~mask])


@pytest.mark.parametrize("size", [(20, 30), (500, 60), (64, 64)])
def test_rectangles_have_the_drawn_areas_and_ratios(size):
    op = Erasing(prob=1, area_range=(0.1, 0.3), ratio_range=(0.5, 2))
    found = [op.draw(rng(seed), ImageInfo(*size, 3))["erasing"] for seed in range(500)]
    boxes = np.array([box for boxes in found for box in boxes])
    assert len(boxes) > 300
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    heights, widths = (boxes[:, 2] - boxes[:, 0]) * size[0], (boxes[:, 3] - boxes[:, 1]) * size[1]
    slack = 1 + 1 / min(heights.min(), widths.min())  # sides are whole pixels
    assert (heights * widths / np.prod(size) >= 0.1 / slack**2).all()
    assert (heights * widths / np.prod(size) <= 0.3 * slack**2).all()
    assert (widths / heights >= 0.5 / slack**2).all()
    assert (widths / heights <= 2 * slack**2).all()
    if size == (64, 64):  # every place occurs, the borders too
        assert boxes[:, 0].min() == boxes[:, 1].min() == 0
        assert boxes[:, 2].max() == boxes[:, 3].max() == 1
        assert abs(np.median(heights * widths) / 64**2 - 0.2) < 0.02


def test_erasing_happens_as_often_as_asked_with_as_many_rectangles():
    op = Erasing(prob=0.3, count_range=(2, 4), area_range=(0.1, 0.2))
    counts = [len(op.draw(rng(seed), ImageInfo(50, 60, 3))["erasing"]) for seed in range(2000)]
    assert 0.27 < np.mean(np.array(counts) > 0) < 0.33
    assert set(counts) == {0, 2, 3, 4}
    for seed in range(100):
        boxes = op.draw(rng(seed), ImageInfo(50, 60, 3))["erasing"]
        assert sum((bottom - top) * (right - left) for top, left, bottom, right in boxes) < 0.25


def test_a_rectangle_that_does_not_fit_is_left_out():
    assert Erasing(prob=1, ratio_range=(50, 100)).draw(rng(), ImageInfo(400, 4, 3)) == {"erasing": []}


@pytest.mark.parametrize("dtype", DTYPES)
def test_fills(dtype):
    image, span = full(dtype, 0.5, (40, 50, 3))
    values = {"erasing": [[0, 0, 1, 1]]}
    per_channel = [1, 0, 1] if dtype == "float32" else [10, 20, 30]
    np.testing.assert_array_equal(Erasing(fill=per_channel).apply(image, values, rng())[3, 4], per_channel)
    noise = Erasing(fill="noise").apply(image, values, rng())
    assert noise.dtype == image.dtype
    assert noise.std() / span == pytest.approx(1 / 12**0.5, rel=0.03)
    color = Erasing(fill="color").apply(image, values, rng())
    assert len(np.unique(color.reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(color[0, 0])) == 3
    with pytest.raises(ImageError, match="fill has 2 values for an image of 3 channels"):
        Erasing(fill=[1, 2]).apply(image, values, rng())


def test_cutout_is_squares_around_any_place():
    op = Cutout(holes=2, size=0.25)
    areas = []
    for seed in range(300):
        for top, left, bottom, right in op.draw(rng(seed), ImageInfo(40, 80, 3))["cutout"]:
            height, width = (bottom - top) * 40, (right - left) * 80
            assert 5 - 1e-9 <= height <= 10 + 1e-9
            assert 5 - 1e-9 <= width <= 10 + 1e-9
            areas.append(height * width)
    assert len(areas) == 600
    assert np.mean(np.isclose(areas, 100)) > 0.6  # the others lie at a border


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Erasing(area_range=(0, 0.5)), "area_range is"),
        (lambda: Erasing(ratio_range=(-1, 2)), "ratio_range is"),
        (lambda: Erasing(count_range=(3, 1)), "count_range is"),
        (lambda: Erasing(fill="nois"), "fill is 'nois'; it has to be one of noise, color"),
        (lambda: Erasing(prob=3), "prob is 3"),
        (lambda: Cutout(holes=0), "holes, size are 0, 0.5"),
        (lambda: Cutout(size=2), "holes, size are 1, 2"),
        (lambda: Jpeg(jpeg_range=(0, 50)), "within 1 and 100"),
        (lambda: GaussianNoise(gaussian_noise_range=(0, 25)), "within 0 and 1"),
    ],
)
def test_parameters_are_checked(make, text):
    with pytest.raises(ParameterError, match=text):
        make()


# ---- compression


@pytest.mark.parametrize(("op", "suffix"), [(Jpeg(), ".jpg"), (Webp(), ".webp")])
def test_compression_is_what_the_codec_does_to_rgb(op, suffix):
    image = cv2.resize(picture(12, 16), (64, 48))
    flag = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}[suffix]
    data = cv2.imencode(suffix, image[:, :, ::-1], [flag, 30])[1]
    changed = op.apply(image, {op.name: 30}, rng())
    np.testing.assert_array_equal(changed, cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])
    errors = [np.abs(op.apply(image, {op.name: quality}, rng()).astype(int) - image).mean() for quality in (5, 40, 95)]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_compression_keeps_depth_and_channels(dtype, channels):
    low, high = (0, 1) if dtype == "float32" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    unit = np.repeat(np.repeat(picture(3, 4, channels), 8, 0), 8, 1) / 255
    image = (low + unit * (high - low)).astype(dtype)
    changed = Jpeg().apply(image, {"jpeg": 95}, rng())
    assert (changed.shape, changed.dtype) == (image.shape, image.dtype)
    assert np.abs(changed.astype(float) - image.astype(float)).mean() < 0.03 * (float(high) - float(low))


def test_an_image_too_large_for_the_format():
    with pytest.raises(ImageError, match=r"cannot be stored as \.webp"):
        Webp().apply(np.zeros((1, 20_000, 1), np.uint8), {"webp": 50}, rng())


# ---- grain


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.1])
def test_gaussian_noise_is_normal_and_symmetric(dtype, sigma):
    image, span = full(dtype, 0.5, (256, 256, 3))
    noisy = GaussianNoise().apply(image, {"gaussian_noise": sigma}, rng())
    apart = (noisy.astype(np.float64) - image) / span
    assert abs(apart.mean()) < 0.01 * sigma + 1e-4
    assert apart.std() == pytest.approx(sigma, rel=0.02)
    assert np.mean(np.abs(apart) < sigma) == pytest.approx(0.683, abs=0.06)  # at 0.01, levels of 8 bits are coarse
    assert np.mean(np.abs(apart) > 3 * sigma) < 0.01
    channels = apart.reshape(-1, 3)
    assert np.abs(np.corrcoef(channels.T) - np.eye(3)).max() < 0.02
    assert abs(np.corrcoef(channels[1:, 0], channels[:-1, 0])[0, 1]) < 0.02


def test_the_pool_is_cut_at_a_drawn_place():
    image, _ = full("uint8", 0.5)
    first, second = (GaussianNoise().apply(image, {"gaussian_noise": 0.1}, rng(seed)).astype(float) for seed in (1, 2))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_poisson_noise_grows_with_the_brightness(dtype, part):
    image, span = full(dtype, part)
    noisy = PoissonNoise().apply(image, {"poisson_noise": 0.5}, rng())
    apart = (noisy.astype(np.float64) - image) / span * 255
    assert abs(apart.mean()) < 0.3
    assert apart.var() == pytest.approx(0.5 * part * 255, rel=0.05)
    black, _ = full(dtype, 0)
    np.testing.assert_array_equal(PoissonNoise().apply(black, {"poisson_noise": 0.5}, rng()), black)


@pytest.mark.parametrize("op", [GaussianNoise(), PoissonNoise()])
@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_is_clipped_and_does_not_wrap(op, dtype):
    for part in (0, 1):
        image, span = full(dtype, part)
        noisy = op.apply(image, {op.name: 0.1}, rng()).astype(float)
        assert np.abs(noisy - image).max() < 0.6 * span


@pytest.mark.parametrize("op", [GaussianNoise(), PoissonNoise()])
def test_large_images_are_noisy_throughout(op):
    image = np.full((1100, 1000, 3), 128, np.uint8)
    noisy = op.apply(image, {op.name: 0.1}, rng()).astype(float)
    parts = noisy.reshape(11, 100, -1).std((1, 2))
    assert parts.min() == pytest.approx(parts.max(), rel=0.02)
    assert parts.min() > 3
