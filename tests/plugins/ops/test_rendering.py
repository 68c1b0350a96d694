from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.protocols import Decoded, Region
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.geometry import index_transform, make_transform, pixel_ratio, supersampling_for
from leaven_plugins.ops.interpolation import LINEAR, NEAREST
from leaven_plugins.ops.rendering import view, warp

OUTSIDE = -1e6


def whole(image, scale=1.0):
    height, width = (round(length / scale) for length in image.shape[:2])
    return Decoded(image, Region(0, 0, height, width), scale)


def places(height, width):
    """An image whose pixels hold where they are: x and y of their middle."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns, rows], axis=2).astype(np.float32) + 0.5


def shown_both_ways(source, target, decoded_scale=1.0, aligned=True, **parameters):
    """Return what the exact and the fast way show, as places in the source, and where both show some of it."""
    matrix = make_transform(source, target, **parameters)
    ratio = pixel_ratio(source, target, parameters.get("scale", 1), parameters.get("scale_mode", "shortest"))
    times = supersampling_for(ratio)
    image = places(*source)
    exact = warp(image, index_transform(matrix, times) if aligned else matrix, target, LINEAR, OUTSIDE, times)
    size = [round(length * decoded_scale) for length in source]
    reduced = image if decoded_scale == 1 else cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    fast = view(whole(reduced, decoded_scale), matrix, target, LINEAR, OUTSIDE)
    return exact, fast, (exact.min(2) >= 0) & (fast.min(2) >= 0)


@pytest.mark.parametrize("seed", range(150))
def test_the_fast_way_shows_the_same_within_one_pixel(seed):
    """Crops, scales, shifts, aspects and mirrors, for sources both larger and smaller than the target."""
    random = np.random.default_rng(seed)
    source, target = random.integers(20, 400, 2).tolist(), random.integers(10, 120, 2).tolist()
    parameters = {
        "scale": float(np.exp(random.uniform(-0.7, 0.9))),
        "aspect": float(np.exp(random.normal(0, 0.1))),
        "shift": random.uniform(-1, 1, 2).tolist(),
        "hmirror": bool(random.integers(2)),
        "vmirror": bool(random.integers(2)),
        "scale_mode": ["shortest", "longest"][seed % 2],
    }
    if seed % 3 == 0:
        parameters |= {"angle": float(random.normal(0, 20)), "shear": random.uniform(-0.1, 0.1, 2).tolist()}
    exact, fast, inside = shown_both_ways(source, target, **parameters)
    ratio = pixel_ratio(source, target, parameters["scale"], parameters["scale_mode"])
    steps = ratio * parameters["aspect"], ratio / parameters["aspect"]
    if inside.sum() > 30:  # so narrow a strip is all border
        apart = np.abs(exact - fast)[inside] / steps
        assert np.quantile(apart, 0.99) < 1
        assert np.median(apart) < 0.7
    covered = [(shown.min(2) >= 0).mean() for shown in (exact, fast)]
    assert abs(covered[0] - covered[1]) < 3 * (1 / target[0] + 1 / target[1])


@pytest.mark.parametrize("seed", range(20))
def test_crops_are_where_the_original_puts_them_within_one_pixel(seed):
    random = np.random.default_rng(seed)
    target = random.integers(20, 60, 2).tolist()
    parameters = {"scale": float(random.uniform(0.9, 1.8)), "shift": random.uniform(-1, 1, 2).tolist()}
    source = [150, 200]
    exact, fast, inside = shown_both_ways(source, target, aligned=False, **parameters)
    assert (np.abs(exact - fast)[inside] / pixel_ratio(source, target, parameters["scale"])).max() < 1


@pytest.mark.parametrize("scale", [0.5, 0.25])
@pytest.mark.parametrize("angle", [0, 10])
def test_reduced_images_show_the_same(scale, angle):
    exact, fast, inside = shown_both_ways(
        (400, 320), (50, 60), scale, scale=1.3, shift=(0.4, -0.7), hmirror=True, angle=angle
    )
    apart = np.abs(exact - fast)[inside] / pixel_ratio((400, 320), (50, 60), 1.3)
    assert inside.mean() > 0.9
    assert np.quantile(apart, 0.95) < 1


def test_a_partial_region_shows_the_same():
    image, target = places(300, 300), (40, 40)
    matrix = make_transform((300, 300), target, scale=3, shift=(0.5, -0.25))
    matrix = matrix
    part = Decoded(image[150:290, 30:190], Region(150, 30, 290, 190), 1.0)
    np.testing.assert_array_equal(view(part, matrix, target), view(whole(image), matrix, target))


def test_what_is_not_changed_is_handed_on():
    """The same size, no shift: not a pixel is touched, and none is copied."""
    image = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)
    matrix = make_transform((30, 20), (30, 20))
    shown = view(whole(image), matrix, (30, 20))
    np.testing.assert_array_equal(shown, image)
    assert np.shares_memory(shown, image)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_mirrors_of_whole_images_are_exact(channels):
    image = np.random.default_rng(0).integers(0, 256, (30, 20, channels), np.uint8)
    for hmirror, vmirror, expected in (
        (True, False, image[:, ::-1]),
        (False, True, image[::-1]),
        (True, True, image[::-1, ::-1]),
    ):
        matrix = make_transform((30, 20), (30, 20), hmirror=hmirror, vmirror=vmirror)
        np.testing.assert_array_equal(view(whole(image), matrix, (30, 20)), expected)


def test_averaging_where_pixels_would_be_passed_over():
    """A fine chequerboard becomes grey, whichever way it is drawn, and never a moire."""
    board = ((np.indices((160, 160)).sum(0) % 2) * 255).astype(np.uint8)[:, :, None]
    for parameters in ({}, {"scale": 0.9}, {"angle": 20, "scale": 1.3}):
        matrix = make_transform((160, 160), (40, 40), **parameters)
        shown = view(whole(board), matrix, (40, 40))
        assert np.abs(shown[12:-12, 12:-12].astype(int) - 127).max() < 50
        assert abs(shown[12:-12, 12:-12].mean() - 127) < 4


def test_nearest_keeps_values():
    labels = np.random.default_rng(0).choice([0, 7, 200], (64, 48, 1)).astype(np.uint8)
    for parameters in ({"scale": 1.2}, {"scale": 4}, {"angle": 30}):
        matrix = make_transform((64, 48), (20, 20), **parameters)
        assert set(np.unique(view(whole(labels), matrix, (20, 20), NEAREST))) <= {0, 7, 200}


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("parameters", [{}, {"scale": 0.3}, {"angle": 5}, {"scale": 5}, {"shift": (9, 9)}])
def test_form_of_the_result(channels, dtype, parameters):
    image = np.ones((33, 47, channels), dtype)
    before = image.copy()
    matrix = make_transform((33, 47), (16, 12), **parameters)
    for shown in (warp(image, matrix, (16, 12)), view(whole(image), matrix, (16, 12))):
        assert shown.shape == (16, 12, channels)
        assert shown.dtype == dtype
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("parameters", [{"scale": 0.25}, {"scale": 0.25, "angle": 1e-9}, {"scale": 2, "shift": (0, 9)}])
@pytest.mark.parametrize(
    ("background", "expected"), [(None, [0, 0, 0]), (7, [7, 7, 7]), ((1, 2, 3), [1, 2, 3]), ([9], [9, 9, 9])]
)
def test_backgrounds(parameters, background, expected):
    image = np.full((40, 40, 3), 200, np.uint8)
    matrix = make_transform((40, 40), (20, 20), **parameters)
    for shown in (
        warp(image, matrix, (20, 20), LINEAR, background),
        view(whole(image), matrix, (20, 20), LINEAR, background),
    ):
        assert shown[0, -1].tolist() == expected


def test_of_several_values_a_grey_image_takes_the_first():
    image = np.full((40, 40, 1), 200, np.uint8)
    matrix = make_transform((40, 40), (20, 20), scale=0.5)
    assert view(whole(image), matrix, (20, 20), LINEAR, (5, 6, 7))[0, 0].tolist() == [5]
    with pytest.raises(ImageError, match="background has 2 values for an image of 3 channels"):
        view(whole(np.repeat(image, 3, 2)), matrix, (20, 20), LINEAR, (5, 6))


def test_targets_need_not_be_square():
    """Supersampling enlarges height and width, each by itself."""
    image = places(300, 300)
    shown = warp(image, make_transform((300, 300), (30, 60)), (30, 60), LINEAR, OUTSIDE, 3)
    assert shown.shape == (30, 60, 2)
    np.testing.assert_allclose(np.diff(shown[15, 1:-1, 0]), 5, atol=0.05)
    np.testing.assert_allclose(np.diff(shown[1:-1, 30, 1]), 5, atol=0.05)
