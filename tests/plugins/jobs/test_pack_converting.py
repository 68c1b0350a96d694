"""What becomes of a sample's images, beside a few lines of numpy and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError, SampleError
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.jobs.pack import Packing
from leaven_plugins.jobs.pack.converting import Conversion, Converter
from leaven_plugins.jobs.pack.metadata import exif_of, upright, with_exif

RANDOM = np.random.default_rng(0)
DECODER = OpenCVDecoder()


def smooth(height, width, channels=3, dtype=np.uint8):
    small = RANDOM.random((5, 6, channels))
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, channels)
    return (large * np.iinfo(dtype).max).astype(dtype)


def distance(one, other):
    return np.abs(one - np.asarray(other, float)).mean()


def file(image, suffix=".png"):
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[image.shape[2]]
    return cv2.imencode(suffix, image[..., order])[1].tobytes()


def pixels(data):
    return DECODER.decode(data, color=False).image


def convert(sample, **wanted):
    return Converter(DECODER, Conversion(**wanted))({"key": "k", **sample}, 3)


def oriented(data, orientation):
    block = b"II*\0\x08\0\0\0\1\0" + np.array([274, 3, 1, 0, orientation, 0], "<u2").tobytes() + bytes(4)
    made = with_exif(data, block)
    assert DECODER.info(made).orientation == orientation
    return made


def test_what_needs_no_change_is_the_same_object():
    sample = {"key": "k", "image": file(smooth(30, 40)), "label": 1}
    for wanted in ({}, {"resize": 30}, {"channels": 3}, {"encode": "png"}, {"exif": "drop"}, {"exif": "apply"}):
        assert Converter(DECODER, Conversion(**wanted))(sample, 0) is sample, wanted


@pytest.mark.parametrize("size", [(20, 20), (60, 90), (15, 80), (33, 44)])
def test_an_exact_size_is_what_was_asked_for(size):
    image = smooth(30, 40)
    for encode, most in (("png", 0), ("jpeg", 9)):
        made = pixels(convert({"image": file(image)}, resize=size, encode=encode)["image"])
        smaller = tuple(map(min, size, (30, 40)))
        expected = cv2.resize(image, smaller[::-1], interpolation=cv2.INTER_AREA)
        expected = cv2.resize(expected, size[::-1], interpolation=cv2.INTER_LANCZOS4) if smaller != size else expected
        assert made.shape == (*size, 3)
        assert distance(made, expected) <= most


def test_channels_are_luma_copies_and_white_behind_what_is_transparent():
    image = smooth(20, 30)
    grey = pixels(convert({"image": file(image)}, channels=1)["image"])
    assert grey.shape == (20, 30, 1)
    assert np.abs(grey[..., 0] - image @ [0.299, 0.587, 0.114]).max() <= 1
    copies = pixels(convert({"image": file(grey)}, channels=3)["image"])
    np.testing.assert_array_equal(copies, np.repeat(grey, 3, axis=2))
    alpha = smooth(20, 30, 4)
    on_white = pixels(convert({"image": file(alpha)}, channels=3)["image"])
    share = alpha[..., 3:] / 255
    assert np.abs(on_white - (alpha[..., :3] * share + 255 * (1 - share))).max() <= 0.51
    as_jpeg = pixels(convert({"image": file(alpha)}, encode="jpeg", quality=100)["image"])
    assert distance(as_jpeg, on_white) <= 9


def test_depth_and_transparency_stay_within_png():
    for channels, dtype in ((1, np.uint16), (3, np.uint16), (4, np.uint8), (4, np.uint16)):
        image = smooth(20, 30, channels, dtype)
        made = pixels(convert({"image": file(image)}, resize=10)["image"])
        assert (made.shape, made.dtype) == ((10, 15, channels), dtype)
        expected = image.reshape(10, 2, 15, 2, channels).mean(axis=(1, 3))
        assert np.abs(made - expected).max() <= 1
    deep = smooth(20, 30, 3, np.uint16)
    as_jpeg = pixels(convert({"image": file(deep)}, encode="jpeg", quality=100)["image"])
    assert distance(as_jpeg, deep / 257) <= 9


def test_a_palette_becomes_colours():
    try:
        from PIL import Image
    except ImportError:
        pytest.skip("PIL writes palettes")
    import io

    stream = io.BytesIO()
    Image.fromarray(smooth(20, 30)).quantize(16).save(stream, "png")
    image = pixels(stream.getvalue())
    made = pixels(convert({"image": stream.getvalue()}, resize=10, encode="png")["image"])
    assert np.abs(made - image.reshape(10, 2, 15, 2, 3).mean(axis=(1, 3))).max() <= 1


def test_quality_is_that_of_the_jpeg():
    image = {"image": file(RANDOM.integers(0, 256, (64, 64, 3)).astype(np.uint8))}
    sizes = [len(convert(image, encode="jpeg", quality=quality)["image"]) for quality in (20, 75, 95)]
    assert sizes == sorted(set(sizes))
    by_hand = cv2.imencode(".jpg", pixels(image["image"])[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes()
    assert convert(image, encode="jpeg", quality=75)["image"] == by_hand


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_exif_kept_applied_or_dropped(orientation, suffix):
    plain = file(smooth(20, 30), suffix)
    stored, data = pixels(plain), oriented(plain, orientation)
    seen = pixels(data)
    kept = convert({"image": data}, exif="keep")["image"]
    assert kept is data
    small = convert({"image": data}, resize=10, exif="keep", quality=100)["image"]
    assert exif_of(small) == upright(exif_of(data))
    assert DECODER.info(small).orientation == 1
    assert pixels(small).shape == ((15, 10, 3) if orientation > 4 else (10, 15, 3))
    applied = convert({"image": data}, exif="apply", quality=100)["image"]
    assert exif_of(applied) == b""
    assert distance(pixels(applied), seen) <= (0 if suffix == ".png" else 9)
    assert (applied == plain) == (orientation == 1 or (suffix == ".png" and np.array_equal(seen, stored)))
    dropped = convert({"image": data}, exif="drop")["image"]
    assert dropped == plain
    small = convert({"image": data}, exif="drop", resize=10)["image"]
    assert pixels(small).shape == (10, 15, 3)


def test_other_formats_become_jpeg_once_they_change():
    for suffix in (".bmp", ".webp", ".tiff"):
        data = file(smooth(20, 30), suffix)
        assert convert({"image": data}, resize=20)["image"] is data
        assert convert({"image": data}, resize=10)["image"].startswith(b"\xff\xd8")
    assert convert({"image": file(smooth(20, 30), ".tiff")}, exif="drop")["image"].startswith(b"\xff\xd8")


def test_masks_are_scaled_by_nearest():
    mask = RANDOM.integers(0, 20, (30, 40, 1)).astype(np.uint8)
    deep = RANDOM.integers(0, 2**16, (30, 40, 1)).astype(np.uint16)
    sample = {
        "image": file(smooth(30, 40), ".jpg"),
        "label_image": file(mask),
        "mask": deep[..., 0],
        "parts_images": [file(mask)] * 2,
    }
    made = convert(sample, resize=(15, 20), encode="jpeg")
    assert pixels(made["label_image"]).shape == (15, 20, 1)
    expected = mask[np.arange(15) * 2 + 1][:, np.arange(20) * 2 + 1]
    np.testing.assert_array_equal(pixels(made["label_image"]), expected)
    np.testing.assert_array_equal(made["mask"], deep[1::2, 1::2, 0])
    assert made["parts_images"] == [made["label_image"]] * 2
    assert convert(sample, encode="png")["label_image"] is sample["label_image"]
    larger = pixels(convert(sample, resize=(60, 80))["label_image"])
    np.testing.assert_array_equal(larger, mask.repeat(2, axis=0).repeat(2, axis=1))


def test_sequences_are_converted_frame_by_frame():
    frames = [file(smooth(30, 40)), file(smooth(60, 40)), file(smooth(10, 10))]
    made = convert({"image": frames}, resize=20)["image"]
    assert [pixels(frame).shape for frame in made] == [(20, 27, 3), (30, 20, 3), (10, 10, 3)]
    assert made[2] is frames[2]


def test_arrays_stay_arrays_unless_they_are_to_be_encoded():
    image = smooth(30, 40)
    assert convert({"image": image}, resize=30)["image"] is image
    small = convert({"image": image}, resize=15)["image"]
    assert small.shape == (15, 20, 3)
    assert pixels(convert({"image": image}, resize=15, encode="png")["image"]).tolist() == small.tolist()
    assert convert({"image": image[..., 0]}, channels=3)["image"].shape == (30, 40, 3)


@pytest.mark.parametrize(
    ("sample", "text"),
    [
        ({}, r"sample 3 \(k\): resize failed: no bytes under 'image' to resize"),
        ({"image": []}, "no bytes under 'image'"),
        ({"image": b"<html>"}, "decode failed: DecodeError: unknown image format"),
        ({"image": file(smooth(30, 40))[:80]}, "decode failed: DecodeError"),
        ({"image": np.zeros((3, 30, 40), np.uint8)}, r"a uint8 array of shape \(3, 30, 40\) is no image"),
        ({"image": np.zeros((30, 40, 3), np.float32)}, "a float32 array"),
        ({"image": file(smooth(30, 40)), "thumbnail": file(smooth(9, 9))}, "'thumbnail' is an image as well"),
        ({"image": file(smooth(30, 40)), "views": [file(smooth(9, 9))]}, "'views' is an image as well"),
        ({"image": file(smooth(30, 40)), "depth": np.zeros((30, 40), np.float32)}, "'depth' is an image as well"),
        ({"image": file(smooth(30, 40)), "label_image": file(smooth(9, 9))}, "it has 9 x 9, the image 30 x 40 pixels"),
        ({"image": file(smooth(30, 40)), "label_image": 5}, "'label_image' is a int, not a mask"),
        ({"image": file(smooth(30, 40)), "boxes": [[1, 2, 3, 4]]}, "'boxes' has places within the image"),
        ({"image": [file(smooth(30, 40))] * 2, "label_images": [b""] * 3}, "has 3 masks for 2 images"),
        ({"image": [file(smooth(30, 40)), file(smooth(8, 9))], "mask": b""}, "one mask for images of several sizes"),
    ],
)  # fmt: skip
def test_what_would_be_wrong_afterwards_is_refused(sample, text):
    with pytest.raises(SampleError, match=text):
        convert(sample, resize=10)


def test_arrays_that_do_not_lie_on_the_image_stay():
    sample = {"image": file(smooth(30, 40)), "label": np.arange(12).reshape(3, 4), "scores": [0.5, 0.5]}
    assert convert(sample, resize=10)["label"] is sample["label"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"resize": 0}, "resize must be 1 to 65535"),
        ({"resize": [3]}, "resize must be"),
        ({"resize": [3, 4, 5]}, "resize must be"),
        ({"resize": True}, "resize must be"),
        ({"channels": 2}, r"channels=2: expected 1 \(grey\), 3 \(RGB\)"),
        ({"quality": 0}, "quality=0: expected 1 to 100"),
        ({"encode": "gif"}, "encode='gif': expected one of: jpeg, keep, png"),
        ({"exif": "none"}, "exif='none': expected one of"),
        ({"fields": "label"}, "expected a list of names"),
        ({"shards": 0}, "shards=0"),
        ({"block": "8"}, "block='8'"),
        ({"jpeg_restart": -1}, "jpeg_restart=-1"),
    ],
)
def test_values_out_of_range_are_told(settings, text):
    with pytest.raises(ParameterError, match=text):
        Packing([], **settings)
