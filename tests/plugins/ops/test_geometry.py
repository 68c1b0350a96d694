from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import LeavenError
from leaven.protocols import Region
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.geometry import (
    finest_ratio,
    index_transform,
    inverted,
    magnified,
    make_transform,
    map_points,
    needed_region,
    pixel_ratio,
    supersampling_for,
    within_decoded,
)
from leaven_plugins.ops.interpolation import NAMES, interpolation

sizes = st.tuples(st.integers(1, 3000), st.integers(1, 3000))
transforms = st.builds(
    make_transform,
    sizes,
    sizes,
    st.floats(-180, 180),
    st.floats(0.1, 10),
    st.floats(0.2, 5),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    st.booleans(),
    st.booleans(),
    st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)),
    st.sampled_from(["shortest", "longest"]),
)


def product(source, target, angle, scale, aspect, shift, hmirror, vmirror, shear, mode):
    """The definition: shift * rotation * (scale, mirrors) * shear * centre."""
    (sh, sw), (th, tw) = np.array(source) / 2, np.array(target) / 2
    r = {"shortest": min, "longest": max}[mode](sh / th, sw / tw) / scale
    a = np.deg2rad(angle)
    centre = np.array([[1, 0, -tw], [0, 1, -th], [0, 0, 1]])
    sheared = np.array([[1, shear[1], 0], [shear[0], 1, 0], [0, 0, 1]])
    scaled = np.diag([r * aspect * (-1) ** hmirror, r / aspect * (-1) ** vmirror, 1])
    turned = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    moved = np.eye(3)
    moved[:2, 2] = sw + abs(sw - tw * r) * shift[1], sh + abs(sh - th * r) * shift[0]
    return (moved @ turned @ scaled @ sheared @ centre)[:2]


@pytest.mark.parametrize("seed", range(40))
def test_the_matrix_is_the_product_of_its_parts(seed):
    random = np.random.default_rng(seed)
    source, target = random.integers(1, 500, (2, 2)).tolist()
    args = (
        *(source, target, random.uniform(-180, 180), random.uniform(0.2, 4), random.uniform(0.5, 2)),
        *(random.uniform(-1, 1, 2), bool(random.integers(2)), bool(random.integers(2)), random.uniform(-0.3, 0.3, 2)),
        *(["shortest", "longest"][seed % 2],),
    )
    args = (*args[:5], args[5].tolist(), *args[6:8], args[8].tolist(), args[9])
    np.testing.assert_allclose(make_transform(*args), product(*args), rtol=1e-12, atol=1e-9)


def test_one_shear_counts_for_both():
    np.testing.assert_array_equal(
        make_transform((9, 8), (5, 4), shear=0.1), make_transform((9, 8), (5, 4), shear=(0.1, 0.1))
    )


@given(transforms, st.floats(-100, 3000), st.floats(-100, 3000))
def test_there_and_back(matrix, x, y):
    back = map_points(inverted(matrix), map_points(matrix, [(x, y)]))
    np.testing.assert_allclose(back, [(x, y)], atol=1e-6)


def test_drawn_pixels_are_where_the_matrix_says():
    """A pixel drawn with supersampling is the mean of its parts; its middle lies half a pixel after its number."""
    matrix = make_transform((100, 80), (30, 20), angle=17, scale=1.2, shear=(0.1, 0.2))
    for times in (1, 2, 3):
        parts = np.array([(4 * times + i, 7 * times + j) for i in range(times) for j in range(times)])
        middle = map_points(magnified(index_transform(matrix, times), times), parts).mean(0) + 0.5
        np.testing.assert_allclose(map_points(matrix, [(4.5, 7.5)])[0], middle)


def test_shift_reaches_the_borders():
    for shift in (-1, 1):
        matrix = make_transform((100, 200), (50, 50), shift=(0, shift))
        assert map_points(matrix, [((shift + 1) * 25, 0)])[0][0] == pytest.approx((shift + 1) * 100)
    matrix = make_transform((100, 200), (50, 50), scale=2, shift=(1, -1))
    np.testing.assert_allclose(map_points(matrix, [(0, 0), (50, 50)]), [(0, 50), (50, 100)])


def test_directions():
    """What is seen in the target at a place lies in the source where the matrix says."""
    size = (101, 101)

    def seen_from(**parameters):
        return (map_points(make_transform(size, size, **parameters), [(60.5, 50.5)])[0] - 50.5).round(6).tolist()

    assert seen_from() == [10, 0]
    assert seen_from(angle=90) == [0, 10]  # below it: the content has turned counter-clockwise
    assert seen_from(hmirror=True) == [-10, 0]
    assert seen_from(vmirror=True) == [10, 0]
    assert seen_from(shear=(0.2, 0)) == [10, 2]
    assert seen_from(aspect=2) == [20, 0]
    assert seen_from(scale=2) == [5, 0]


def test_ratio_and_supersampling():
    assert pixel_ratio((100, 200), (50, 50)) == 2
    assert pixel_ratio((100, 200), (50, 50), scale_mode="longest") == 4
    assert pixel_ratio((100, 200), (50, 50), scale=4) == 0.5
    assert [supersampling_for(ratio) for ratio in (0.1, 1, 1.01, 2, 2.5, 9)] == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"scale_mode": "widest"}, "scale_mode is 'widest'; it has to be one of shortest, longest"),
        ({"scale": 0}, "scale is 0"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"aspect": -1}, "aspect is -1"),
        ({"target_size": (0, 4)}, "no pixels"),
    ],
)
def test_wrong_values_are_named(changed, text):
    with pytest.raises(ImageError, match=text) as caught:
        make_transform(**{"source_size": (5, 5), "target_size": (4, 4), **changed})
    assert isinstance(caught.value, LeavenError)
    assert isinstance(caught.value, ValueError)


@given(transforms)
def test_finest_ratio_is_the_smallest_singular_value(matrix):
    smallest = np.linalg.svd(matrix[:, :2], compute_uv=False)[-1]
    assert finest_ratio(matrix) == pytest.approx(smallest, rel=1e-6)


@given(transforms, sizes, sizes)
def test_the_needed_region_holds_all_that_is_shown(matrix, source, target):
    region = needed_region(matrix, target, source, 1)
    assert 0 <= region.top < region.bottom <= source[0]
    assert 0 <= region.left < region.right <= source[1]
    random = np.random.default_rng(0)
    points = map_points(matrix, random.uniform(0, 1, (50, 2)) * target[::-1])
    inside = points[((points >= 0) & (points <= source[::-1])).all(1)]
    assert (inside[:, 0] >= region.left).all()
    assert (inside[:, 0] <= region.right).all()
    assert (inside[:, 1] >= region.top).all()
    assert (inside[:, 1] <= region.bottom).all()


def test_a_crop_needs_little():
    matrix = make_transform((1000, 1000), (100, 100), scale=5, shift=(-1, 1))
    assert needed_region(matrix, (100, 100), (1000, 1000), 1) == Region(0, 797, 203, 1000)


def test_coordinates_within_what_was_decoded():
    matrix = np.array([[2.0, 0, 30], [0, 3, 50]])
    local = within_decoded(matrix, Region(10, 20, 100, 100), 0.5)
    source = map_points(matrix, [(7, 8)])[0]
    np.testing.assert_allclose(map_points(local, [(7, 8)])[0], (source - (20, 10)) / 2)


def test_interpolations_have_opencvs_numbers():
    cv2 = pytest.importorskip("cv2")
    for name, number in NAMES.items():
        assert number == getattr(cv2, f"INTER_{name.upper()}")
        assert interpolation(name) == interpolation(name.upper()) == interpolation(number) == number


@pytest.mark.parametrize(
    ("method", "text"), [("liner", "did you mean 'linear'"), (9, r"there are nearest \(0\)"), ("x", "there are")]
)
def test_unknown_interpolations(method, text):
    with pytest.raises(ImageError, match=text):
        interpolation(method)
