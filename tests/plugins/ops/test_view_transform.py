from __future__ import annotations

import numpy as np
import pytest

from leaven.protocols import Decoded, Region
from leaven_plugins.ops.geometry import chained, corner_transform, index_transform, make_transform, map_points
from leaven_plugins.ops.rendering import view, view_transform, warp

OUTSIDE = -1e6


def places(height, width):
    """An image whose pixels hold where they are: x and y of their middle."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns, rows], axis=2).astype(np.float32) + 0.5


def drawn(seed, rotated):
    random = np.random.default_rng(seed)
    values = {
        "scale": float(np.exp(random.uniform(-0.7, 0.9))),
        "aspect": float(np.exp(random.normal(0, 0.1))),
        "shift": random.uniform(-1, 1, 2).tolist(),
        "hmirror": bool(random.integers(2)),
        "vmirror": bool(random.integers(2)),
    }
    if rotated:
        values |= {"angle": float(random.normal(0, 20)), "shear": random.uniform(-0.1, 0.1, 2).tolist()}
    return random.integers(40, 400, 2).tolist(), random.integers(20, 120, 2).tolist(), values


def told(matrix, size):
    """Where in the source the middle of each pixel lies, by a matrix."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]] + 0.5
    return map_points(matrix, np.stack([columns.ravel(), rows.ravel()], 1)).reshape(*size, 2)


def inner(shown):
    """Pixels that are not at a border of what is shown of the source, where values are mixed with other things."""
    inside = shown.min(2) >= 0
    return inside & np.roll(inside, 2, 0) & np.roll(inside, -2, 0) & np.roll(inside, 2, 1) & np.roll(inside, -2, 1)


@pytest.mark.parametrize("seed", range(80))
@pytest.mark.parametrize("rotated", [False, True])
def test_a_view_shows_exactly_what_its_transform_says(seed, rotated):
    source, target, values = drawn(seed, rotated)
    matrix = make_transform(source, target, **values)
    decoded = Decoded(places(*source), Region(0, 0, *source), 1.0)
    shown = view(decoded, matrix, target, background=OUTSIDE)
    by_matrix = told(view_transform(decoded, matrix, target), target)
    certain = inner(shown)
    certain[[0, 1, -1, -2]] = certain[:, [0, 1, -1, -2]] = False
    ratio = np.linalg.norm(matrix[:, :2])
    assert np.abs(shown - by_matrix)[certain].max(initial=0) < 0.02 + 0.05 * ratio  # fixed point of a warp
    covered = ((by_matrix >= 0) & (by_matrix < source[::-1])).all(2)
    assert (covered == (shown.min(2) >= 0)).mean() > 0.9
    if not rotated and np.abs(matrix[[0, 1], [0, 1]]).min() >= 0.55:  # resized, so that borders are sharp
        np.testing.assert_array_equal(covered, shown.min(2) >= 0)


@pytest.mark.parametrize("seed", range(20))
def test_the_same_of_a_part_at_half_the_scale(seed):
    source, target, values = drawn(seed, rotated=False)
    source = [2 * (length // 2 + 20) for length in source]
    matrix = make_transform(source, target, **{**values, "scale": 1.0})
    whole = places(*source)
    half = (whole[::2, ::2] + whole[1::2, 1::2]) / 2
    decoded = Decoded(half[3:], Region(6, 0, *source), 0.5)
    shown = view(decoded, matrix, target, background=OUTSIDE)
    by_matrix = told(view_transform(decoded, matrix, target), target)
    certain = inner(shown)
    certain[[0, 1, -1, -2]] = certain[:, [0, 1, -1, -2]] = False
    assert np.abs(shown - by_matrix)[certain].max(initial=0) < 0.05 * np.linalg.norm(matrix[:, :2])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_warp_by_numbers_shows_what_its_transform_says(seed, times):
    source, target, values = drawn(seed, rotated=True)
    matrix = make_transform(source, target, **values)
    shown = warp(places(*source), matrix, target, background=OUTSIDE, supersampling=times)
    certain = inner(shown)
    apart = np.abs(shown - told(corner_transform(matrix, times), target))[certain]
    assert apart.max(initial=0) < 0.02 + 0.05 * np.linalg.norm(matrix[:, :2])
    np.testing.assert_allclose(index_transform(corner_transform(matrix, times), times), matrix, atol=1e-9)


def test_one_after_the_other():
    random = np.random.default_rng(0)
    outer, inner_one = random.normal(size=(2, 2, 3))
    points = random.normal(size=(9, 2))
    expected = map_points(outer, map_points(inner_one, points))
    before = outer.copy(), inner_one.copy()
    np.testing.assert_allclose(map_points(chained(outer, inner_one), points), expected)
    np.testing.assert_array_equal((outer, inner_one), before)
