from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import SampleError
from leaven_plugins.ops.geometry import make_transform, map_points
from leaven_plugins.workers.segmentation.mask import Drawn, check_fits, draw_mask, one_channel, write_mask


def shown(mask, matrix, size, outside=99):
    drawn = draw_mask(mask, matrix, size)
    row = np.full(size, outside, mask.dtype)
    row[drawn.inside] = drawn.numbers[drawn.inside]
    return row


@pytest.mark.parametrize("seed", range(20))
def test_each_pixel_is_what_lies_at_its_middle(seed):
    random = np.random.default_rng(seed)
    mask = random.integers(0, 50, (23, 31))
    matrix = make_transform(
        (23, 31),
        (17, 12),
        angle=float(random.normal(0, 30)),
        scale=float(random.uniform(0.4, 2)),
        shift=random.uniform(-1, 1, 2).tolist(),
        shear=random.uniform(-0.3, 0.3, 2).tolist(),
        hmirror=bool(seed % 2),
    )
    found = shown(mask, matrix, (17, 12))
    for row in range(17):
        for column in range(12):
            ((x, y),) = np.floor(map_points(matrix, [(column + 0.5, row + 0.5)])).astype(int)
            inside = 0 <= x < 31 and 0 <= y < 23
            assert found[row, column] == (mask[y, x] if inside else 99)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "int64", "float32"])
def test_mirrors_are_exact_for_any_dtype(dtype):
    mask = np.random.default_rng(0).integers(0, 100, (9, 7)).astype(dtype)
    for hmirror, vmirror in ((False, False), (True, False), (False, True), (True, True)):
        matrix = make_transform((9, 7), (9, 7), hmirror=hmirror, vmirror=vmirror)
        np.testing.assert_array_equal(
            shown(mask, matrix, (9, 7)), mask[:: -1 if vmirror else 1, :: -1 if hmirror else 1]
        )


def test_borders_between_pixels_go_to_the_second_one():
    """Also where the last bit of a product says otherwise."""
    mask = np.arange(30)[None, :].repeat(30, 0)
    for factor in (2, 6, 10):
        matrix = np.array([[factor * (1 - 1e-15), 0, 0.0], [0, factor, 0]])
        np.testing.assert_array_equal(shown(mask, matrix, (30 // factor,) * 2)[0], np.arange(factor // 2, 30, factor))


@pytest.mark.parametrize(
    ("mask", "image", "fits"),
    [
        ((10, 20), (10, 20), True),
        ((5, 10), (10, 20), True),
        ((125, 167), (500, 667), True),
        ((126, 167), (500, 667), True),
        ((1000, 1334), (500, 667), True),
        ((20, 10), (10, 20), False),
        ((10, 19), (10, 20), False),
        ((130, 167), (500, 667), False),
    ],
)
def test_masks_cover_their_image(mask, image, fits):
    if fits:
        check_fits(mask, image)
    else:
        with pytest.raises(SampleError, match="does not cover an image of"):
            check_fits(mask, image)


def test_a_turned_mask_gets_a_hint():
    with pytest.raises(SampleError, match='it fits the upright image \\(annotated="upright"\\)'):
        check_fits((20, 10), (10, 20))


def test_grey_in_several_channels_is_grey():
    numbers = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(one_channel(numbers[:, :, None].repeat(3, 2)), numbers)
    np.testing.assert_array_equal(one_channel(np.dstack([numbers, numbers, numbers, numbers * 0 + 255])), numbers)
    with pytest.raises(SampleError, match=r"the mask has colours \(3 channels\)"):
        one_channel(np.dstack([numbers, numbers, numbers + 1]))


def drawn(values, dtype="int64"):
    return Drawn(np.array([values], dtype), np.ones((1, len(values)), bool))


@pytest.mark.parametrize(
    ("values", "dtype", "row", "text"),
    [
        ([3, 256], "uint16", "uint8", "number 256 in the mask does not fit the buffer's dtype uint8"),
        ([-1], "int64", "uint8", "number -1"),
        ([0.5], "float32", "int64", "number 0.5"),
        ([np.nan], "float32", "int64", "number nan"),
    ],
)
def test_numbers_never_wrap_around(values, dtype, row, text):
    with pytest.raises(SampleError, match=text):
        write_mask(drawn(values, dtype), np.zeros((1, len(values)), row), None, None)


def test_numbers_are_those_of_classes_or_ignored():
    row = np.zeros((1, 3), "int64")
    write_mask(drawn([0, 4, 255]), row, 5, 255)
    assert row.tolist() == [[0, 4, 255]]
    for values in ([5], [-1], [254]):
        with pytest.raises(SampleError, match=f"number {values[0]} in the mask is out of range: there are 5 classes"):
            write_mask(drawn(values), row[:, :1], 5, 255)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.floats(0.05, 20))
def test_any_size_can_be_drawn(height, width, target, scale):
    mask = np.ones((height, width), np.uint8)
    found = shown(mask, make_transform((height, width), (target, target), scale=scale, angle=10), (target, target))
    assert set(np.unique(found)) <= {1, 99}
