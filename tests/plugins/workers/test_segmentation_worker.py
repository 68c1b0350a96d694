from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.testing import WorkerContract
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.datasets.shapes import ShapesDataset
from leaven_plugins.ops.geometry import make_transform
from leaven_plugins.workers.segmentation import SegmentationWorker

AUGMENTED = {
    "use": "mixture",
    "prob": 0.7,
    "rotation_sigma": 10,
    "scale_range": [0.8, 1.4],
    "shift_range": [-1, 1],
    "shear_range": [-0.1, 0.1],
    "hmirror": 0.5,
    "brightness_range": [-0.3, 0.3],
    "noise_range": [0.01, 0.1],
    "blur_range": [0.001, 0.01],
}
SHAPES = [dict(ShapesDataset((40, 48), 3).sample(n)) for n in range(3)]
IMAGE = ((3, 30, 40), "uint8")
MASK = (np.arange(60)[:, None] // 20 + np.arange(80) // 40 * 3).astype(np.uint8)  # 0 to 5


class TestSegmentation(WorkerContract):
    spec = "worker:segmentation"
    params = {"image": ((3, 32, 36), "uint8"), "target_image": ((32, 36), "int64", 255), "image_rng": AUGMENTED}
    samples = SHAPES


def mask_of(mask=MASK, target=((30, 40), "uint8"), data=None, sample=None, **parameters):
    sample = sample or {"image": png(picture(60, 80)), "target_image": data or png(mask)}
    return run_worker(SegmentationWorker(IMAGE, target, **parameters), [sample])["target_image"][0]


def test_a_mask_is_drawn_by_its_nearest_pixels():
    np.testing.assert_array_equal(mask_of(), MASK[1::2, 1::2])
    np.testing.assert_array_equal(mask_of(target=((1, 30, 40), "int64")), MASK[None, 1::2, 1::2])


def test_pixel_operations_and_colours_leave_masks_alone():
    drawn = {"gamma_gray": 3.0, "contrast": 0.9, "noise": 0.5, "blur": 0.2, "interp_method": "cubic", "background": 77}
    np.testing.assert_array_equal(mask_of(image_params={**drawn, "colorspace": "hsv"}), mask_of())
    np.testing.assert_array_equal(mask_of(image_params={**drawn, "supersampling": 3}), MASK[1::2, 1::2])


def test_either_key_may_hold_the_mask():
    image = png(picture(60, 80))
    for key in ("target_image", "label_image"):
        np.testing.assert_array_equal(mask_of(sample={"image": image, key: png(MASK)}), mask_of())
    both = {"image": image, "label_image": png(MASK * 0), "target_image": png(MASK)}
    np.testing.assert_array_equal(mask_of(sample=both), mask_of())
    assert not mask_of(sample=both, target_source="label_image").any()


@pytest.mark.parametrize("way", [{"fill": 9}, {"background": 9}, {"fill": 9, "background": 9}, {"fill": 4}])
def test_what_lies_outside_is_told_apart(way):
    target = {"shape": (30, 40), "dtype": "uint8", "fill": way.get("fill", 0)}
    params = {"background": way["background"]} if "background" in way else None
    found = mask_of(MASK + 1, target, target_image_params=params, image_params={"scale": 0.5, "background": 123})
    expected = way.get("background", way.get("fill"))
    assert (found[:7] == expected).all()
    assert set(np.unique(found[8:22, 12:28])) <= {1, 2, 3, 4, 5, 6}


def test_a_number_outside_may_be_larger_than_those_of_the_file():
    found = mask_of(target=((30, 40), "int64", -100), image_params={"scale": 0.5})
    assert set(np.unique(found)) == {-100, 0, 1, 2, 3, 4, 5}


def test_a_picture_of_fill_values_stays():
    border = np.arange(1200).reshape(30, 40)
    found = mask_of(target=border, image_params={"scale": 0.5})
    np.testing.assert_array_equal(found[:7], border[:7])


def palette(numbers):
    from struct import pack
    from zlib import compress, crc32

    rows = b"".join(b"\0" + row.tobytes() for row in numbers)
    parts = [
        (b"IHDR", pack(">IIBBBBB", numbers.shape[1], numbers.shape[0], 8, 3, 0, 0, 0)),
        (b"PLTE", bytes([128, 0, 0] * 200)),
        (b"IDAT", compress(rows)),
        (b"IEND", b""),
    ]
    chunks = (pack(">I", len(data)) + name + data + pack(">I", crc32(name + data)) for name, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_palette_counts_by_its_numbers():
    np.testing.assert_array_equal(mask_of(data=palette(MASK)), mask_of())


def test_masks_may_be_arrays():
    sample = {"image": np.dstack([MASK] * 3), "target_image": MASK}
    made = SegmentationWorker(((3, 30, 40), "uint8"), ((30, 40), "uint8"), ops=())
    np.testing.assert_array_equal(run_worker(made, [sample])["target_image"][0], mask_of())
    deep = {**sample, "target_image": MASK.astype(np.uint16) * 1000}
    made = SegmentationWorker(((3, 30, 40), "uint8"), ((30, 40), "int32"), ops=())
    np.testing.assert_array_equal(run_worker(made, [deep])["target_image"][0], mask_of().astype(int) * 1000)


def test_masks_of_sixteen_bits():
    deep = cv2.imencode(".png", MASK.astype(np.uint16) * 1000)[1].tobytes()
    shown = mask_of(data=deep, target=((30, 40), "int32"))
    np.testing.assert_array_equal(shown, mask_of().astype(int) * 1000)
    with pytest.raises(SampleError, match="number 3000 in the mask does not fit the buffer's dtype uint8"):
        mask_of(data=deep)


def test_masks_may_have_another_resolution():
    np.testing.assert_array_equal(mask_of(MASK[::2, ::2]), MASK[::2, ::2])
    np.testing.assert_array_equal(mask_of(MASK.repeat(3, 0).repeat(3, 1)), MASK[1::2, 1::2])


def test_a_mask_follows_every_drawn_parameter():
    drawn = {"angle": 20, "shear": [0.2, -0.1], "scale": 1.2, "shift": [0.3, -0.8], "vmirror": True, "aspect": 1.1}
    matrix = make_transform((60, 80), (30, 40), **drawn)
    rows, columns = np.mgrid[:30, :40] + 0.5
    x, y = np.floor(np.tensordot(matrix, np.stack([columns, rows, np.ones((30, 40))]), 1)).astype(int)
    inside = (x >= 0) & (x < 80) & (y >= 0) & (y < 60)
    expected = np.where(inside, MASK[y * inside, x * inside], 99)
    np.testing.assert_array_equal(mask_of(target=((30, 40), "uint8", 99), image_params=drawn), expected)


def test_classes_are_checked():
    assert mask_of(classes=6).max() == 5
    with pytest.raises(SampleError, match="number 5 in the mask is out of range: there are 5 classes"):
        mask_of(classes=5)
    void = np.where(MASK == 5, 255, MASK).astype(np.uint8)
    assert mask_of(void, ((30, 40), "uint8", 255), classes=5).max() == 255


@pytest.mark.parametrize(
    ("sample", "text"),
    [
        ({}, "no mask: no key 'target_image' or 'label_image'"),
        ({"lable_image": b""}, "did you mean 'lable_image'\\?; the sample has: image, key, lable_image"),
        ({"label_image": [1, 2]}, "'label_image' is of type list"),
        ({"label_image": MASK.astype("float32")}, "'label_image' is an array of shape .* and dtype float32"),
        ({"label_image": b""}, "mask failed: DecodeError: no image: 0 bytes"),
        ({"label_image": png(MASK)[:60]}, "mask failed: DecodeError"),
        ({"label_image": png(MASK.T.copy())}, "a mask of 80 x 60 does not cover an image of 60 x 80 pixels"),
        ({"label_image": png(picture(60, 80))}, "the mask has colours"),
    ],
)
def test_bad_masks_name_the_sample(sample, text):
    with pytest.raises(SampleError, match=text) as caught:
        mask_of(sample={"key": "it", "image": png(picture(60, 80)), **sample})
    assert caught.value.index == 0
    assert caught.value.key == "it"


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"target_image": ((3, 30, 40), "uint8")}, r"target_image: the buffer's shape is \(3, 30, 40\)"),
        ({"target_image_params": {"angle": 3}}, "target_image_params has no 'angle'; .* has the geometry of the image"),
        ({"target_image_params": {"background": 300}}, "background is 300; it has to be a number of uint8"),
        ({"target_image_params": {"background": "x"}}, "background is 'x'"),
        ({"target_image_params": {"background": 0.5}}, "background is 0.5"),
        ({"classes": 0}, "classes is 0"),
        ({"annotated": "up"}, "annotated is 'up'"),
        ({"target_decoder": "indeces"}, "did you mean 'indices'"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(LeavenError, match=text) as caught:
        SegmentationWorker(**{"image": IMAGE, "target_image": ((30, 40), "uint8"), **parameters})
    assert caught.value.exit_code == ParameterError.exit_code
