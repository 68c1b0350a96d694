from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven.protocols import Decoded, ImageInfo, Region
from leaven.stream.buffers import buffer_spec
from leaven_plugins.ops.geometry import make_transform, map_points
from leaven_plugins.ops.rendering import view
from leaven_plugins.rngs.placing import offset_of, placed, placed_crop
from leaven_plugins.rngs.random_resized_crop import RandomResizedCrop

SIDE = st.integers(1, 5000)


def shown(source, target, values):
    """The part of the source that the corners of the target lie on: top, left, bottom, right."""
    geometry = {key: values[key] for key in ("scale", "aspect", "shift", "hmirror", "vmirror") if key in values}
    height, width = target
    corners = map_points(make_transform(source, target, **geometry), [(0, 0), (width, 0), (0, height), (width, height)])
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    assert len(np.unique(corners.round(6), axis=0)) == 4
    return np.array([top, left, bottom, right])


def draw(source, target, seed=0, **parameters):
    spec = buffer_spec(((3, *target), "uint8"))
    return RandomResizedCrop(**parameters).draw(ImageInfo(*source, 3), spec, np.random.default_rng(seed))


@given(st.tuples(SIDE, SIDE), st.tuples(st.integers(1, 600), st.integers(1, 600)), st.tuples(*[st.floats(0, 1)] * 4))
def test_any_rectangle_is_shown_exactly(source, target, where):
    height, width = (max(1, round(part * side)) for part, side in zip(where, source, strict=False))
    top, left = round(where[2] * (source[0] - height)), round(where[3] * (source[1] - width))
    crop = Region(top, left, top + height, left + width)
    values = placed_crop(source, target, crop)._asdict()
    np.testing.assert_allclose(shown(source, target, values), crop, atol=0.06)
    for mirrored in ({"hmirror": True}, {"vmirror": True}):
        np.testing.assert_allclose(shown(source, target, {**values, **mirrored}), crop, atol=0.06)


@pytest.mark.parametrize(
    ("source", "crop"),
    [
        ((400, 100), Region(0, 3, 200, 53)),
        ((100, 100), Region(20, 0, 30, 100)),
        ((10000, 10000), Region(1, 0, 9999, 9998)),
    ],
)
def test_where_a_shift_has_no_room_it_finds_some(source, crop):
    """The target is as wide (or as high) as the source in area, yet not in the middle."""
    np.testing.assert_allclose(shown(source, (50, 50), placed_crop(source, (50, 50), crop)._asdict()), crop, atol=0.11)


def test_rectangles_in_the_middle_need_no_shift():
    assert placed_crop((60, 80), (30, 40), Region(15, 20, 45, 60)) == (2, 1, [0, 0])


@pytest.mark.parametrize("mode", ["shortest", "longest"])
def test_offsets_and_shifts_are_each_others_inverse(mode):
    for offset in ((3.5, -8.25), (0, 2), (-11, 0)):
        found = placed((90, 120), (32, 48), 1.3, 0.9, offset, mode)
        assert offset_of((90, 120), (32, 48), found.scale, found.shift, mode) == pytest.approx(offset)


@given(SIDE, SIDE, st.integers(1, 300), st.integers(1, 300), st.integers(0, 1000))
def test_draws_are_whole_pixels_within_the_image(height, width, rows, columns, seed):
    top, left, bottom, right = found = shown(
        (height, width), (rows, columns), draw((height, width), (rows, columns), seed)
    )
    np.testing.assert_allclose(found, found.round(), atol=0.06)
    assert -0.06 < top < bottom < height + 0.06
    assert -0.06 < left < right < width + 0.06


def test_areas_and_proportions_are_distributed_as_asked_for():
    source, target = (1000, 1000), (64, 48)
    parameters = {"area_range": (0.1, 0.5), "ratio_range": (0.5, 2)}
    found = np.array([shown(source, target, draw(source, target, seed, **parameters)) for seed in range(2000)])
    heights, widths = (found[:, 2:] - found[:, :2]).T
    areas, logs = heights * widths / 1e6, np.log2(widths / heights)
    assert areas.min() == pytest.approx(0.1, abs=0.005)
    assert areas.max() == pytest.approx(0.5, abs=0.005)
    assert areas.mean() == pytest.approx(0.3, abs=0.01)
    assert areas.std() == pytest.approx(0.4 / 12**0.5, rel=0.05)
    assert logs.mean() == pytest.approx(0, abs=0.04)
    assert logs.std() == pytest.approx(2 / 12**0.5, rel=0.05)
    places = found[:, :2] / (1000 - np.stack([heights, widths], 1))
    np.testing.assert_allclose(places.mean(0), 0.5, atol=0.02)
    assert places.min() < 0.01
    assert places.max() > 0.99


@pytest.mark.parametrize(
    ("source", "expected"),
    [((10, 1000), (0, 493, 10, 506)), ((1000, 10), (493, 0, 506, 10)), ((1, 1), (0, 0, 1, 1)), ((1, 7), (0, 3, 1, 4))],
)
def test_where_nothing_fits_it_is_the_middle(source, expected):
    found = shown(source, (32, 32), draw(source, (32, 32), area_range=(1, 1)))
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_a_middle_of_allowed_proportions_is_the_whole_image():
    found = shown((100, 120), (32, 32), draw((100, 120), (32, 32), area_range=(1, 1), ratio_range=(1.19, 1.21), seed=1))
    np.testing.assert_allclose(found, (0, 0, 100, 120), atol=1.01)


def test_the_image_that_is_made_is_the_resized_rectangle():
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8), (0, 0), 2)
    for seed in range(20):
        values = draw((200, 300), (64, 96), seed, area_range=(0.3, 1), hmirror=1)
        top, left, bottom, right = shown((200, 300), (64, 96), values).round().astype(int)
        crop = cv2.resize(image[top:bottom, left:right], (96, 64), interpolation=cv2.INTER_LINEAR)[:, ::-1]
        geometry = {key: values[key] for key in ("scale", "aspect", "shift", "hmirror", "vmirror")}
        matrix = make_transform((200, 300), (64, 96), **geometry)
        made = view(Decoded(image, Region(0, 0, 200, 300), 1.0), matrix, (64, 96))
        if (bottom - top) / 64 < 2 and (right - left) / 96 < 2:  # from there on pixels are averaged
            np.testing.assert_array_equal(made, crop)


def test_mirrors_and_interpolations():
    found = [
        draw((50, 60), (8, 8), seed, hmirror=0.5, vmirror=0.1, interpolations=["nearest", 2]) for seed in range(2000)
    ]
    assert np.mean([values["hmirror"] for values in found]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([values["vmirror"] for values in found]) == pytest.approx(0.1, abs=0.03)
    assert min(Counter(values["interp_method"] for values in found).values()) > 850
    assert {tuple(values) for values in found} == {("scale", "aspect", "shift", "hmirror", "vmirror", "interp_method")}


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"area_range": (0, 1)}, "area_range is .*above 0 and at most 1"),
        ({"area_range": (0.5, 1.1)}, "area_range is .*above 0 and at most 1"),
        ({"area_range": 0.5}, "area_range is 0.5; it has to be two numbers"),
        ({"ratio_range": (0, 1)}, "proportions have to be positive"),
        ({"hmirror": 2}, "hmirror is 2"),
        ({"interpolations": ["cubik"]}, "interpolations: .*did you mean 'cubic'"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        RandomResizedCrop(**parameters)


def test_a_fixed_part_of_the_place_is_refused():
    RandomResizedCrop().check({"angle", "hmirror"}, ())
    with pytest.raises(ParameterError, match=r"random_resized_crop draws a place .* 'scale'"):
        RandomResizedCrop().check({"scale"}, ())
