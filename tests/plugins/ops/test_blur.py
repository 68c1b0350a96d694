from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven_plugins.ops.blur import Blur
from leaven_plugins.ops.blur.op import LEAST, add_blur


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_line_becomes_a_gaussian_of_this_width(dtype, channels):
    image = np.zeros((101, 101, channels), dtype)
    image[:, 50] = 250
    blurred = add_blur(image, 3 / 101)
    assert blurred.shape == image.shape
    assert blurred.dtype == dtype
    gaussian = np.exp(-((np.arange(101) - 50.0) ** 2) / (2 * 3**2))
    np.testing.assert_allclose(blurred[20, :, 0], 250 * gaussian / gaussian.sum(), atol=1)  # OpenCV: 8-bit weights
    np.testing.assert_array_equal(blurred, blurred[:, :, :1].repeat(channels, 2))


def test_sigma_is_relative_to_the_width():
    image = np.random.default_rng(0).integers(0, 256, (30, 60, 3), np.uint8)
    np.testing.assert_array_equal(add_blur(image, 0.05)[:, 20:40], add_blur(image[:, 5:55], 0.06)[:, 15:35])


def test_what_applies():
    op = Blur()
    assert [op.applies({"blur": blur}) for blur in (None, 0, LEAST, LEAST * 1.01, 0.1)] == [False] * 3 + [True] * 2
    assert not op.applies({})


def test_its_own_draw():
    random, info = np.random.default_rng(0), ImageInfo(8, 8, 3)
    assert Blur().draw(random, info) == {"blur": 0}
    draws = [Blur(blur_range=(0.02, 0.01), prob=0.75).draw(random, info)["blur"] for _ in range(2000)]
    assert 0.7 < np.mean(np.array(draws) > 0) < 0.8
    assert all(0.01 <= draw <= 0.02 for draw in draws if draw)


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match=r"blur_range is \[1\]"):
        Blur(blur_range=[1])
