from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from leaven.errors import DecodeError, LookupFailed, ParameterError
from leaven.stream import wire
from leaven.testing.tools import picture, png
from leaven_plugins.ops.blur import Blur
from leaven_plugins.ops.chance import OneOf, Sometimes
from leaven_plugins.ops.compose import Compose
from leaven_plugins.ops.crop import CenterCrop, RandomCrop, RandomResizedCrop
from leaven_plugins.ops.erasing import Erasing
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.flip import Flip
from leaven_plugins.ops.grain import GaussianNoise
from leaven_plugins.ops.hue import Hue
from leaven_plugins.ops.pad import Pad
from leaven_plugins.ops.resize import Resize
from leaven_plugins.ops.rotate import Rotate
from leaven_plugins.ops.sampling import Sampling
from leaven_plugins.ops.streams import Stream

EVERYTHING = [
    {"use": "rotate", "rotate_range": [-30, 30], "enlarge": True},
    RandomResizedCrop([20, 24]),
    "flip",
    {"use": "color_jitter", "brighten_range": [0.7, 1.3], "hue_range": [-30, 30]},
    {"use": "noise_rgb", "noise_range": [0.05, 0.1]},
    {"use": "sometimes", "op": {"use": "erasing", "prob": 1, "fill": "noise"}, "prob": 0.5},
    {"use": "one_of", "ops": ["equalize", "grayscale", "nothing"]},
    GaussianNoise(gaussian_noise_range=(0.01, 0.05)),
]


def test_it_is_found_beside_the_ops():
    import leaven_plugins.ops

    assert leaven_plugins.ops.Compose is Compose
    assert leaven_plugins.ops.Stream is Stream
    with pytest.raises(AttributeError, match="no attribute 'Composed'"):
        leaven_plugins.ops.Composed


# ---- one image


def test_ops_run_one_after_the_other():
    image = picture(40, 50)
    done = Compose([Pad(3), Resize([30, 30]), Flip(1)])(image)
    padded = np.pad(image, ((3, 3), (3, 3), (0, 0)))
    np.testing.assert_array_equal(done, cv2.resize(padded, (30, 30))[:, ::-1])


def test_the_same_cell_gives_the_same_image():
    image = picture(40, 50)
    compose, again = Compose(EVERYTHING), Compose(EVERYTHING)
    first = compose(image, seed=3, index=7, epoch=2)
    np.testing.assert_array_equal(compose(image, seed=3, index=7, epoch=2), first)
    np.testing.assert_array_equal(again(image, seed=3, index=7, epoch=2), first)
    for other in ({"seed": 4}, {"index": 8}, {"epoch": 3}):
        assert (compose(image, **{"seed": 3, "index": 7, "epoch": 2, **other}) != first).any()
    np.testing.assert_array_equal(
        compose(image, random=np.random.default_rng(1)), again(image, random=np.random.default_rng(1))
    )
    assert (compose(image, random=np.random.default_rng(1)) != compose(image, random=np.random.default_rng(2))).any()


def test_global_randomness_plays_no_part():
    image = picture(40, 50)
    first = Compose(EVERYTHING)(image, seed=1)
    np.random.seed(5)
    cv2.setRNGSeed(5)
    np.testing.assert_array_equal(Compose(EVERYTHING)(image, seed=1), first)


def test_an_op_more_leaves_the_draws_of_the_others():
    image, hue = picture(), Hue(hue_range=(-90, 90))
    noise = GaussianNoise(gaussian_noise_range=(0.1, 0.2))
    _, alone = Compose([hue, noise])(image, seed=5, record=True)
    _, more = Compose(["flip", hue, "equalize", noise, hue])(image, seed=5, record=True)
    entries = {entry["op"]: entry["values"] for entry in more["ops"]}
    assert [entries[entry["op"]] for entry in alone["ops"]] == [entry["values"] for entry in alone["ops"]]
    assert entries["hue#2"] != entries["hue"]


def test_nothing_that_is_given_is_changed():
    image, mask = picture(40, 50), picture(40, 50, 1)[..., 0]
    before = image.copy(), mask.copy()
    for array in (image, mask):
        array.flags.writeable = False
    for seed in range(10):
        Compose(EVERYTHING, streams={"mask": Stream.mask()})({"image": [image, image], "mask": [mask, mask]}, seed=seed)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 1), (20, 24, 3)])
def test_axes_stay(shape):
    image = picture(*shape).reshape(shape) if len(shape) == 3 else picture(*shape, 1)[..., 0]
    assert Compose([Blur(blur_range=(0.1, 0.1)), CenterCrop([10, 12])])(image).shape == (10, 12, *shape[2:])


def test_channels_come_first_at_the_end():
    grey = picture(20, 24, 1)[..., 0]
    np.testing.assert_array_equal(Compose(["flip", "to_float", "to_chw"])(grey).shape, (1, 20, 24))
    image = picture(20, 24)
    done = Compose([Flip(1), "to_float", "to_chw"])(image)
    np.testing.assert_allclose(done, image[:, ::-1].transpose(2, 0, 1) / 255, atol=1e-6)


def test_encoded_images_are_decoded():
    images = [picture(seed=i) for i in range(3)]
    files = [png(image) for image in images]
    flip = Compose([Flip(1)])
    np.testing.assert_array_equal(flip(files[0]), images[0][:, ::-1])
    np.testing.assert_array_equal(np.stack(flip(files)), np.stack(images)[:, :, ::-1])
    with pytest.raises(DecodeError):
        flip(files[0][:20])


# ---- sequences


def test_frames_of_a_sequence_share_the_draw():
    image = picture(40, 50)
    turn, hue = Rotate(rotate_range=(-90, 90)), Hue(hue_range=(-90, 90))
    geometry = Compose([turn, RandomResizedCrop([9, 9]), hue, Erasing(1)])
    for seed in range(5):
        frames = geometry([image, image // 2, image], seed=seed)
        np.testing.assert_array_equal(frames[0], frames[2])
        np.testing.assert_array_equal(frames[0], geometry(image, seed=seed))
        np.testing.assert_array_equal(frames[1], geometry([image // 2, image], seed=seed)[0])


def test_noise_differs_from_frame_to_frame():
    grey = np.full((50, 60, 3), 128, np.uint8)
    first, second = Compose([GaussianNoise(gaussian_noise_range=(0.1, 0.1))])([grey, grey])
    assert (first != second).mean() > 0.9
    assert abs(first.std() - second.std()) < 2


def test_a_sequence_comes_back_as_it_was_given():
    frames = np.stack([picture(seed=i) for i in range(6)])
    compose = Compose([Sampling(2), CenterCrop([8, 10])])
    assert isinstance(compose(list(frames)), list)
    assert compose(frames).shape == (3, 8, 10, 3)
    np.testing.assert_array_equal(np.stack(compose(list(frames))), compose(frames))


def test_sampling_takes_every_theta_th_frame_at_every_phase():
    frames = [np.full((2, 2), i, np.uint8) for i in range(12)]
    firsts = set()
    for seed in range(60):
        kept = [int(frame[0, 0]) for frame in Compose([Sampling(4)])(frames, seed=seed)]
        assert np.diff(kept).tolist() == [4, 4]
        firsts.add(kept[0])
    assert firsts == {0, 1, 2, 3}


# ---- parallel sequences


def test_masks_move_with_their_images():
    """A mask made of the image's own values stays on them: what it marks is bright, and the rest is not."""
    image = np.zeros((240, 320, 3), np.uint8)
    cv2.ellipse(image, (120, 100), (80, 48), 30, 0, 360, (255, 255, 255), -1)
    mask = (image[..., 0] > 0).astype(np.uint8)
    turn, part = Rotate(rotate_range=(-60, 60), enlarge=True), RandomResizedCrop([200, 240], (0.4, 0.9))
    compose = Compose(["flip", turn, part, Pad(4), Hue((9, 9))], streams={"mask": Stream.mask(background=7)})
    for seed in range(20):
        done = compose({"image": image, "mask": mask}, seed=seed)
        moved = done["mask"]
        assert set(np.unique(moved)) <= {0, 1, 7}
        assert (moved[:4] == 7).all()
        bright, marked = done["image"][..., 0] > 127, moved == 1
        assert (bright & marked).sum() >= 0.98 * (bright | marked).sum()


def test_ops_on_values_leave_masks_alone():
    mask = picture(20, 30, 1)[..., 0]
    ops = [Hue((9, 9)), Blur((0.1, 0.1)), "equalize", Erasing(1), {"use": "jpeg", "jpeg_range": [5, 5]}, "to_float"]
    done = Compose(ops, streams={"mask": Stream.mask()})({"image": picture(20, 30), "mask": mask})
    np.testing.assert_array_equal(done["mask"], mask)
    assert done["image"].dtype == np.float32


def test_masks_may_have_another_resolution():
    image, mask = picture(40, 60), picture(20, 30, 1)[..., 0]
    compose = Compose([RandomResizedCrop(area_range=(0.2, 0.5))], streams={"mask": Stream.mask()})
    done, record = compose({"image": image, "mask": mask}, record=True, seed=2)
    top, left, bottom, right = record["ops"][0]["values"]["random_resized_crop"]
    part = mask[round(top * 20) : round(bottom * 20), round(left * 30) : round(right * 30)]
    expected = cv2.resize(part, (30, 20), interpolation=cv2.INTER_NEAREST_EXACT)
    np.testing.assert_array_equal(done["mask"], expected)


@pytest.mark.parametrize(
    "ops",
    [
        [RandomCrop([10, 12], padding=2)],
        [RandomResizedCrop([10, 12])],
        [CenterCrop([10, 12])],
        [Pad([1, 2, 3, 4]), CenterCrop([31, 31])],
        [Resize([10, 12])],
        [Resize(12)],
        [Sometimes(CenterCrop([10, 12]), 1)],
    ],
)
def test_a_larger_stream_is_cut_at_the_same_places(ops):
    """Four pixels of the larger one show in the mean what one of the other shows, after the ops too."""

    def slope(height, width):
        down, along = ((np.arange(size) + 0.5) / size for size in (height, width))
        return (0.1 + 0.5 * down[:, None] + 0.3 * along)[..., None].astype(np.float32)

    compose = Compose(ops, streams={"high": Stream(scale=2)})
    for seed in range(5):
        done = compose({"low": slope(24, 30), "high": slope(48, 60)}, seed=seed)
        height, width = done["low"].shape[:2]
        assert done["high"].shape[:2] == (2 * height, 2 * width)
        means = done["high"].reshape(height, 2, width, 2, 1).mean((1, 3))
        assert np.abs(means - done["low"]).max() < 0.006  # a step of the smaller one is 0.02


def test_lists_of_lists_are_parallel_sequences():
    image = picture(20, 30)
    ops = [Rotate(rotate_range=(-90, 90)), Sampling(2), Hue(hue_range=(-90, 90))]
    first, second = Compose(ops)([[image] * 4, [image[:, ::-1]] * 4], seed=1)
    assert len(first) == len(second) == 2
    np.testing.assert_array_equal(first[0], Compose(ops)(image, seed=1))
    arrays = Compose(ops)([np.stack([image] * 4), np.stack([image] * 4)], seed=1)
    np.testing.assert_array_equal(arrays[1], np.stack(first))


def test_chosen_ops_do_to_masks_what_they_do_to_images():
    image = picture(20, 30)
    compose = Compose(
        [OneOf([Flip(1), Hue((9, 9)), Flip(0, 1)]), Sometimes(Sampling(2))], streams={"mask": Stream.mask()}
    )
    seen = set()
    for seed in range(40):
        done, record = compose({"image": [image] * 4, "mask": [image] * 4}, seed=seed, record=True)
        index = record["ops"][0]["values"]["one_of"]["index"]
        expected = (image[:, ::-1], image, image[::-1])[index]
        np.testing.assert_array_equal(done["mask"][0], expected)
        assert len(done["image"]) == len(done["mask"])
        seen.add((index, len(done["mask"])))
    assert len(seen) == 6


# ---- records


def test_a_record_is_plain_and_replays_exactly():
    images = {"image": [picture(40, 50), picture(40, 50, seed=1)], "mask": [picture(40, 50, 1)[..., 0]] * 2}
    compose = Compose(EVERYTHING, streams={"mask": Stream.mask()})
    for seed in range(10):
        done, record = compose(images, seed=seed, index=3, record=True)
        plain = wire.unpack(wire.pack(record))
        assert json.loads(json.dumps(plain)) == record
        again = Compose(EVERYTHING, streams={"mask": Stream.mask()}).replay(images, plain)
        for name in images:
            np.testing.assert_array_equal(np.stack(again[name]), np.stack(done[name]))
    done, record = compose(images, random=np.random.default_rng(4), record=True)
    np.testing.assert_array_equal(compose.replay(images, record)["image"][0], done["image"][0])


def test_a_record_can_be_changed_before_it_is_replayed():
    image = picture()
    compose = Compose([Flip(), Hue(hue_range=(-90, 90))])
    _, record = compose(image, record=True)
    record["ops"][0]["values"] = {"flip_left_right": True, "flip_top_bottom": False}
    record["ops"][1]["values"] = {"hue": 0.0}
    np.testing.assert_array_equal(compose.replay(image, record), image[:, ::-1])


def test_a_record_of_other_ops_is_refused():
    _, record = Compose(["flip"])(picture(), record=True)
    with pytest.raises(ImageError, match="record is of the ops flip, and these are flip, equalize"):
        Compose(["flip", "equalize"]).replay(picture(), record)


# ---- mistakes


@pytest.mark.parametrize(
    ("images", "text"),
    [
        ([], "the sequence is empty"),
        (np.zeros((0, 4, 4, 3), np.uint8), "the sequence is empty"),
        ({}, "there are no images"),
        ({"mask": [picture()], "image": [picture(), picture()]}, "'mask' has 1, 'image' has 2"),
        (np.zeros(5, np.uint8), r"not ndarray \(5,\)"),
        ("image.png", "not str"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_image_is_named(images, text):
    with pytest.raises(ImageError, match=text):
        Compose(["flip"])(images)


def test_streams_have_to_be_given():
    with pytest.raises(ImageError, match="no images are given as 'mask', did you mean 'masks'"):
        Compose(["flip"], streams={"mask": Stream.mask()})({"image": picture(), "masks": picture()})
    with pytest.raises(ImageError, match="no images are given as 'mask'"):
        Compose(["flip"], streams={"mask": Stream.mask()})(picture())


def test_ops_are_resolved_at_once():
    with pytest.raises(LookupFailed, match="'flop'"):
        Compose(["flop"])
    with pytest.raises(ParameterError, match="left_rigth"):
        Compose([{"use": "flip", "left_rigth": 1}])
    with pytest.raises(ParameterError, match="scale is 0"):
        Stream(scale=0)


def test_an_op_of_somebody_else_works():
    class Add:
        keys = ("add",)

        def draw(self, random, info):
            return {"add": int(random.integers(1, 9))}

        def applies(self, values):
            return bool(values.get("add"))

        def apply(self, image, values, random):
            return image + np.uint8(values["add"])

    image = picture() // 2
    done, record = Compose([Add(), "flip"], streams={"mask": Stream.mask()})({"i": image, "mask": image}, record=True)
    assert record["ops"][0]["op"] == "Add"
    step = -1 if record["ops"][1]["values"]["flip_left_right"] else 1
    np.testing.assert_array_equal(done["i"][:, ::step], image + record["ops"][0]["values"]["add"])
    np.testing.assert_array_equal(done["mask"][:, ::step], image)
