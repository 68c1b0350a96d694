"""Ops that move pixels: parts, borders, turns, other sizes; values and axes as networks take them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo, Region
from leaven.testing.tools import picture
from leaven_plugins.ops.crop import CenterCrop, RandomCrop, RandomResizedCrop
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.flip import Flip
from leaven_plugins.ops.framing import cut
from leaven_plugins.ops.layout import ToCHW, ToFloat, Whiten
from leaven_plugins.ops.pad import Pad
from leaven_plugins.ops.resize import Resize
from leaven_plugins.ops.rotate import Rotate
from leaven_plugins.ops.sampling import Sampling

DTYPES = ["uint8", "uint16", "int16", "float32"]
MODES = ["constant", "edge", "reflect", "symmetric", "wrap"]


def rng(seed=0):
    return np.random.default_rng(seed)


def info(image):
    return ImageInfo(*image.shape)


def done(op, image, seed=0):
    return op.apply(image, op.draw(rng(seed), info(image)), rng(seed))


# ---- cut and pad


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_pad_is_that_of_numpy(mode, channels):
    image = picture(9, 11, channels)
    expected = np.pad(image, ((1, 2), (3, 4), (0, 0)), mode)
    np.testing.assert_array_equal(done(Pad([1, 2, 3, 4], mode), image), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_backgrounds_are_one_value_or_one_for_each_channel(dtype, channels):
    image = picture(5, 6, channels).astype(dtype)
    values = [0.5 + 1.5 * i for i in range(channels)] if dtype == "float32" else list(range(3, 3 + channels))
    for background in (values[0], values):
        padded = done(Pad(2, background=background), image)
        np.testing.assert_array_equal(padded[0, 0], np.broadcast_to(np.asarray(background, dtype), channels))
        assert padded.dtype == dtype
    with pytest.raises(ImageError, match=f"background has 2 values for an image of {channels} channels"):
        done(Pad(2, background=[1, 2]), image)


@pytest.mark.parametrize("mode", MODES)
def test_cut_is_a_part_of_the_padded_image(mode):
    image, margin = picture(9, 11), 8
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode)
    for region in (Region(2, 3, 7, 9), Region(-4, 5, 4, 14), Region(3, -8, 17, 19), Region(-1, -1, 10, 12)):
        top, left, bottom, right = (side + margin for side in region)
        np.testing.assert_array_equal(cut(image, region, mode=mode), padded[top:bottom, left:right])


def test_a_part_outside_of_the_image_is_an_error():
    with pytest.raises(ImageError, match="lies wholly outside"):
        cut(picture(9, 11), Region(20, 0, 25, 5))


# ---- crops


def test_center_crop():
    image = picture(9, 12)
    np.testing.assert_array_equal(done(CenterCrop([4, 4]), image), image[2:6, 4:8])
    expected = np.zeros((14, 4, 3), np.uint8)
    expected[2:11] = image[:, 4:8]
    np.testing.assert_array_equal(done(CenterCrop([14, 4]), image), expected)


def test_random_crop_shows_every_part_equally_often():
    image = np.arange(5 * 7, dtype=np.uint8).reshape(5, 7, 1)
    firsts = [int(done(RandomCrop([3, 4]), image, seed)[0, 0, 0]) for seed in range(3000)]
    values, counts = np.unique(firsts, return_counts=True)
    assert values.tolist() == [row * 7 + column for row in range(3) for column in range(4)]
    assert counts.min() > 0.7 * 3000 / 12


@pytest.mark.parametrize("mode", MODES)
def test_random_crop_is_a_part_of_the_padded_image(mode):
    image = picture(8, 9)
    padded = np.pad(image, ((1, 2), (3, 4), (0, 0)), mode)
    op = RandomCrop([6, 7], padding=[1, 2, 3, 4], mode=mode)
    seen = set()
    for seed in range(200):
        values = op.draw(rng(seed), info(image))
        top, left = round(values["random_crop"][0] * 8) + 1, round(values["random_crop"][1] * 9) + 3
        seen.add((top, left))
        np.testing.assert_array_equal(op.apply(image, values, rng()), padded[top : top + 6, left : left + 7])
    assert len(seen) > 40


def test_random_crop_of_a_small_image_pads_both_sides():
    image = picture(4, 20)
    cropped = done(RandomCrop([7, 5], background=9), image)
    assert cropped.shape == (7, 5, 3)
    assert (cropped[[0, 5, 6]] == 9).all()
    assert (cropped[1:5] != 9).any()


@pytest.mark.parametrize("size", [(60, 40), (300, 500)])
def test_resized_crops_have_the_drawn_areas_and_ratios(size):
    op = RandomResizedCrop(area_range=(0.1, 0.6), ratio_range=(0.5, 2))
    boxes = np.array([op.draw(rng(seed), ImageInfo(*size, 3))["random_resized_crop"] for seed in range(1000)])
    heights, widths = (boxes[:, 2] - boxes[:, 0]) * size[0], (boxes[:, 3] - boxes[:, 1]) * size[1]
    assert boxes.min() == 0
    assert boxes.max() == 1
    areas, ratios = heights * widths / np.prod(size), widths / heights
    assert 0.09 < areas.min() < 0.12
    assert 0.5 < areas.max() < 0.62
    assert 0.47 < ratios.min() < 0.55
    assert 1.8 < ratios.max() < 2.12


def test_resized_crops_relative_to_the_images_own_aspect():
    op = RandomResizedCrop(area_range=(0.25, 0.25), ratio_range=(1, 1), relative=True, central=True)
    assert op.draw(rng(), ImageInfo(100, 400, 3)) == {"random_resized_crop": [0.25, 0.25, 0.75, 0.75]}


@pytest.mark.parametrize(("size", "box"), [((10, 100), (10, 20)), ((100, 10), (20, 10)), ((30, 30), (30, 30))])
def test_where_nothing_fits_the_largest_middle_part_is_taken(size, box):
    op = RandomResizedCrop(area_range=(1, 1), ratio_range=(0.5, 2) if size != (30, 30) else (0.9, 0.91))
    drawn = op.draw(rng(), ImageInfo(*size, 3))["random_resized_crop"]
    height, width = (drawn[2] - drawn[0]) * size[0], (drawn[3] - drawn[1]) * size[1]
    if size == (30, 30):
        assert (height, width) == pytest.approx((30, 27), abs=0.5)
    else:
        assert (height, width) == pytest.approx(box)
    assert drawn[0] + drawn[2] == pytest.approx(1, abs=1 / size[0])
    assert drawn[1] + drawn[3] == pytest.approx(1, abs=1 / size[1])


def test_resized_crop_resizes_the_part():
    image = picture(40, 60)
    op = RandomResizedCrop([20, 25])
    changed = op.apply(image, {"random_resized_crop": [0.25, 0.5, 0.75, 1]}, rng())
    np.testing.assert_array_equal(changed, cv2.resize(image[10:30, 30:60], (25, 20)))
    assert RandomResizedCrop().apply(image, {"random_resized_crop": [0, 0, 0.5, 0.5]}, rng()).shape == image.shape


# ---- resize


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_what_is_reduced_to_a_third_is_averaged(dtype, channels):
    image = (picture(30, 42, channels) / (255 if dtype == "float32" else 1)).astype(dtype)
    means = image.reshape(10, 3, 14, 3, channels).astype(np.float64).mean((1, 3))
    reduced = done(Resize([10, 14]), image)
    assert np.abs(reduced - means).max() <= (1e-5 if dtype == "float32" else 0.51)
    plain = done(Resize([10, 14], antialias=False), image)
    assert (plain == image[1::3, 1::3]).mean() > 0.9  # the middle of each group, and nothing else


def test_the_nearest_pixel_is_the_middle_one_or_that_of_opencv():
    image = picture(30, 42)
    np.testing.assert_array_equal(done(Resize([10, 14], "nearest"), image), image[1::3, 1::3])
    np.testing.assert_array_equal(done(Resize([10, 14], "nearest", antialias=False), image), image[::3, ::3])


def test_resize_of_the_shorter_side_keeps_the_aspect():
    assert done(Resize(20), picture(40, 61)).shape == (20, 30, 3)
    assert done(Resize(20), picture(60, 10)).shape == (120, 20, 3)


# ---- flip and rotate


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_flip_exchanges_what_its_names_say(dtype, channels):
    image = picture(7, 9, channels).astype(dtype)
    for op, expected in (
        (Flip(1, 0), image[:, ::-1]),
        (Flip(0, 1), image[::-1]),
        (Flip(1, 1), image[::-1, ::-1]),
    ):
        np.testing.assert_array_equal(done(op, image), expected)
    assert not Flip(0, 0).applies(Flip(0, 0).draw(rng(), info(image)))


def test_flip_happens_as_often_as_asked():
    draws = [Flip(0.25, 0.75).draw(rng(seed), ImageInfo(2, 2, 3)) for seed in range(2000)]
    assert 0.22 < np.mean([draw["flip_left_right"] for draw in draws]) < 0.28
    assert 0.72 < np.mean([draw["flip_top_bottom"] for draw in draws]) < 0.78


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("quarters", [-1, 1, 2, 3, 5])
def test_quarters_of_a_turn_are_exact(dtype, channels, quarters):
    image = picture(8, 11, channels).astype(dtype)
    turned = Rotate(enlarge=True).apply(image, {"rotate": 90 * quarters}, rng())
    np.testing.assert_allclose(turned, np.rot90(image, quarters), atol=0.01 if dtype == "float32" else 0)


@pytest.mark.parametrize("degrees", [10, 30, 77, 135, -200])
@pytest.mark.parametrize("size", [(40, 60), (31, 31)])
def test_an_enlarged_canvas_holds_everything_and_not_more(degrees, size):
    white = np.full((*size, 1), 255, np.uint8)
    turned = Rotate(enlarge=True).apply(white, {"rotate": degrees}, rng())[..., 0].astype(float) / 255
    assert turned.sum() == pytest.approx(size[0] * size[1], rel=0.02)  # nothing is lost
    for line in (turned[:2], turned[-2:], turned[:, :2], turned[:, -2:]):  # and it reaches all borders
        assert line.max() > 0.1
    same = Rotate().apply(white, {"rotate": degrees}, rng())
    assert same.shape == white.shape


def test_rotation_is_counter_clockwise_and_filled():
    image = np.zeros((41, 41, 3), np.uint8)
    image[18:23, 35:40] = 255  # to the right
    turned = Rotate(background=[9, 8, 7]).apply(image, {"rotate": 90}, rng())
    assert (turned[1:6, 18:23] == 255).all()  # on top
    tilted = Rotate(background=[9, 8, 7]).apply(image, {"rotate": 45}, rng())
    np.testing.assert_array_equal(tilted[0, 0], [9, 8, 7])


# ---- layout and sampling


@pytest.mark.parametrize(("dtype", "low", "high"), [("uint8", 0, 255), ("uint16", 0, 65535), ("int16", -32768, 32767)])
def test_to_float_divides_by_the_range(dtype, low, high):
    image = np.array([[[low, high, (low + high) // 2]]], dtype)
    np.testing.assert_allclose(done(ToFloat(), image)[0, 0], [0, 1, 0.5], atol=0.003)
    assert done(ToFloat(), image).dtype == np.float32


def test_whiten_has_no_axis_of_its_own():
    image = picture()
    expected = (image / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    whitened = done(Whiten(), image)
    assert (whitened.shape, whitened.dtype) == (image.shape, np.float32)
    np.testing.assert_allclose(whitened, expected, atol=1e-5)
    np.testing.assert_allclose(done(Whiten(), (image / 255).astype(np.float32)), expected, atol=1e-5)
    with pytest.raises(ImageError, match="mean has 3 values for an image of 4 channels"):
        done(Whiten(), picture(channels=4))


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_to_chw(channels):
    image = picture(channels=channels)
    np.testing.assert_array_equal(done(ToCHW(), image), image.transpose(2, 0, 1))


@pytest.mark.parametrize("theta", [1, 2, 3, 2.5, 7, 20])
@pytest.mark.parametrize("phase", [0, 0.3, 0.999])
def test_sampling_keeps_every_theta_th_frame(theta, phase):
    frames = [np.full((2, 2, 1), i, np.uint8) for i in range(13)]
    kept = [int(frame[0, 0, 0]) for frame in Sampling(theta).apply_frames(frames, {"sampling": phase}, rng())]
    expected = [int((i + phase) * theta) for i in range(int(13 // theta))] or [min(int(phase * theta), 12)]
    assert kept == expected


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: CenterCrop([0, 3]), "size is"),
        (lambda: CenterCrop("ab"), "size is 'ab'; it has to be height and width"),
        (lambda: RandomCrop([3]), "size is"),
        (lambda: RandomCrop([3, 3], padding=-1), "padding is -1"),
        (lambda: RandomCrop([3, 3], mode="mirror"), "mode is 'mirror'; it has to be one of constant, edge"),
        (lambda: RandomResizedCrop([3, 3.5]), "size is"),
        (lambda: RandomResizedCrop(area_range=(0.5, 1.5)), "area_range is"),
        (lambda: Pad([1, 2]), "margins is"),
        (lambda: Resize(0), "size is 0"),
        (lambda: Flip(left_right=2), "left_right is 2"),
        (lambda: Sampling(0), "theta is 0"),
        (lambda: Whiten(std=0), "std is 0"),
    ],
)
def test_parameters_are_checked(make, text):
    with pytest.raises(ParameterError, match=text):
        make()


@pytest.mark.parametrize("make", [lambda method: Resize(3, method), lambda method: Rotate(interpolation=method)])
def test_interpolations_are_checked(make):
    with pytest.raises(ImageError, match="no interpolation 'linaer', did you mean 'linear'"):
        make("linaer")
