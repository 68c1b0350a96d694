from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven_plugins.ops.noise import NoiseOther, NoiseRGB
from leaven_plugins.ops.noise.reference import add_noise_other, add_noise_rgb

INFO = ImageInfo(8, 8, 3)
GREY = np.full((512, 384, 3), 128, np.uint8)


def of(op, strength, seed=0, image=GREY):
    return op.apply(image, {"noise": strength}, np.random.default_rng(seed))


def neighbours(channel):
    """How much a pixel tells of the one beside it."""
    return np.corrcoef(channel[:, :-1].ravel(), channel[:, 1:].ravel())[0, 1]


@pytest.mark.parametrize("strength", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("kind", [NoiseRGB, NoiseOther])
def test_the_pool_has_the_distribution_of_the_reference(kind, strength):
    exact, pooled = (of(kind(pooled=pooled), strength).astype(float) for pooled in (False, True))
    # the reference rounds the ends of its range towards 0, which takes up to half a level
    np.testing.assert_allclose(pooled.mean((0, 1)), exact.mean((0, 1)), atol=0.6 + 1.5 * strength)
    np.testing.assert_allclose(pooled.std((0, 1)), exact.std((0, 1)), atol=0.6, rtol=0.02)
    for channel in range(3):
        assert neighbours(pooled[..., channel]) == pytest.approx(neighbours(exact[..., channel]), abs=0.05)
        quantiles = [np.quantile(noisy[..., channel], [0, 0.1, 0.9, 1]) for noisy in (exact, pooled)]
        np.testing.assert_allclose(*quantiles, atol=3)


def test_green_gets_half_and_is_fine_the_others_are_coarse():
    for pooled in (False, True):
        noisy = of(NoiseRGB(pooled=pooled), 0.2).astype(float)
        red, green, blue = noisy.std((0, 1))
        assert green == pytest.approx(0.1 * 511 / 12**0.5, rel=0.03)
        assert red == pytest.approx(0.2 * 511 / 12**0.5 * 0.625, rel=0.05)  # what enlarging to twice the size leaves
        assert blue == pytest.approx(red, rel=0.05)
        assert abs(neighbours(noisy[..., 1])) < 0.02
        assert neighbours(noisy[..., 0]) > 0.3
        assert abs(np.corrcoef(noisy[..., 0].ravel(), noisy[..., 2].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("pooled", [False, True])
def test_a_single_channel_gets_all_of_it(pooled):
    noisy = of(NoiseRGB(pooled=pooled), 0.1, image=GREY[:, :, :1]).astype(float)
    assert noisy.std() == pytest.approx(0.1 * 511 / 12**0.5, rel=0.03)
    assert abs(neighbours(noisy[..., 0])) < 0.02


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("kind", [NoiseRGB, NoiseOther])
def test_it_is_clipped_and_every_sample_gets_its_own(kind, pooled):
    black, white = np.zeros_like(GREY), np.full_like(GREY, 255)
    op = kind(pooled=pooled)
    assert of(op, 1, image=black).max() > 200
    assert of(op, 1, image=white).min() < 60
    assert (of(op, 0.1, image=black) < 30).all()
    assert (of(op, 0.1, image=white) > 220).all()
    assert (of(op, 0.1, 1) != of(op, 0.1, 2)).mean() > 0.8


@pytest.mark.parametrize("add_noise", [add_noise_rgb, add_noise_other])
@pytest.mark.parametrize("strength", [0.001, 0.0039, 0.004, 0.01])
def test_little_noise_is_no_error(add_noise, strength):
    noisy = add_noise(GREY, strength, np.random.default_rng(0))
    assert np.abs(noisy.astype(int) - 128).max() <= max(1, 256 * strength)


@pytest.mark.parametrize("add_noise", [add_noise_rgb, add_noise_other])
@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_other_depths_and_channels_get_it_on_both_sides(add_noise, dtype, channels):
    low, high = (0, 1) if dtype.startswith("f") else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    middle = np.full((64, 64, channels), (low + high + 1) / 2 if high > 1 else 0.5).astype(dtype)
    noisy = add_noise(middle, 0.1, np.random.default_rng(0))
    assert noisy.dtype == dtype
    apart = (noisy.astype(np.float64) - middle) / (float(high) - low)
    assert (apart.min((0, 1)) < -0.04).all()
    assert (apart.max((0, 1)) > 0.04).all()
    assert np.abs(apart).max() <= 0.1 + 1e-6
    assert np.abs(apart.mean((0, 1))).max() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2), (700, 300)])
def test_any_size(size):
    for op in (NoiseRGB(), NoiseOther(), NoiseRGB(pooled=False)):
        assert of(op, 0.2, image=np.zeros((*size, 3), np.uint8)).shape == (*size, 3)


def test_its_own_draw():
    random = np.random.default_rng(0)
    assert NoiseRGB().draw(random, INFO) == {"noise": 0}
    draws = [NoiseOther(noise_range=(0.1, 0.2), prob=0.25).draw(random, INFO)["noise"] for _ in range(2000)]
    assert 0.2 < np.mean(np.array(draws) > 0) < 0.3
    assert all(0.1 <= draw <= 0.2 for draw in draws if draw)


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match=r"noise_range is 0\.3"):
        NoiseRGB(noise_range=0.3)
    with pytest.raises(ParameterError, match="prob is -1"):
        NoiseOther(prob=-1)
