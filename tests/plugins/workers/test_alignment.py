"""Masks and points land on what they mark, whatever is drawn for the image."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import Decoded, ImageInfo
from leaven.stream.buffers import buffer_spec
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.datasets.shapes import ShapesDataset
from leaven_plugins.decoders.indices import IndexDecoder
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.ops.geometry import inverted, make_transform, map_points
from leaven_plugins.workers.image.alignment import annotated_size, annotation_transform, check_frame, plane_size
from leaven_plugins.workers.saliency import SaliencyWorker
from leaven_plugins.workers.segmentation import SegmentationWorker

ORIENTED = {  # what each orientation means, of the stored pixels
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}
DECODERS = {"decoder": OpenCVDecoder(), "ops": ()}


def geometry(seed, rotated=True):
    random = np.random.default_rng(seed)
    drawn = {
        "scale": float(np.exp(random.uniform(-0.3, 0.9))),
        "aspect": float(np.exp(random.normal(0, 0.1))),
        "shift": random.uniform(-1, 1, 2).tolist(),
        "hmirror": bool(random.integers(2)),
        "vmirror": bool(random.integers(2)),
        "scale_mode": ["shortest", "longest"][seed % 2],
    }
    if rotated:
        drawn |= {"angle": float(random.normal(0, 30)), "shear": random.uniform(-0.2, 0.2, 2).tolist()}
    return drawn


def segmentation(size, mask_size=None, **parameters):
    parameters.setdefault("target_decoder", IndexDecoder(OpenCVDecoder()))
    spec = {"shape": mask_size or size, "dtype": "int64", "fill": 255}
    return SegmentationWorker(((3, *size), "uint8"), spec, **DECODERS, **parameters)


def saliency(size, map_size=None, **parameters):
    return SaliencyWorker(((3, *size), "uint8"), (map_size or size, "float32"), **DECODERS, **parameters)


def pixels(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def jpeg(image, orientation=1, quality=95):
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    if orientation == 1:
        return data
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 274, 3, 1, orientation, 0) + bytes(4)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def supersampled(mask, matrix, size, times=4, outside=255):
    """For each pixel, the number that most of its 4 x 4 parts show."""
    rows, columns = (np.mgrid[: size[0] * times, : size[1] * times] + 0.5) / times
    x, y = np.floor(map_points(matrix, np.stack([columns.ravel(), rows.ravel()], 1))).astype(int).T
    inside = (x >= 0) & (x < mask.shape[1]) & (y >= 0) & (y < mask.shape[0])
    parts = np.where(inside, mask[y * inside, x * inside], outside)
    parts = parts.reshape(size[0], times, size[1], times).swapaxes(1, 2).reshape(*size, -1)
    numbers = np.unique(parts)
    return numbers[np.stack([(parts == number).sum(2) for number in numbers]).argmax(0)]


def overlap(one, other):
    """Return the intersection over the union of all objects."""
    return (one == other)[(one > 0) & (other > 0)].sum() / max(((one > 0) | (other > 0)).sum(), 1)


@pytest.mark.parametrize("seed", range(40))
def test_masks_are_as_if_drawn_four_times_as_large(seed):
    sample = ShapesDataset((240, 320), seed=1).sample(seed)
    drawn = geometry(seed)
    found = run_worker(segmentation((120, 150), image_params=drawn), [sample])["target_image"][0]
    matrix = make_transform((240, 320), (120, 150), **drawn)
    reference = supersampled(pixels(sample["label_image"]), matrix, (120, 150))
    assert overlap(found, reference) >= 0.98
    assert (found == reference).mean() >= 0.99
    assert ((found == 255) == (reference == 255)).mean() > 0.995


def classes_as_colours(sample):
    """A picture of the mask itself: a channel of 255 for each class."""
    numbers = pixels(sample["label_image"])
    return np.stack([(numbers == number) * np.uint8(255) for number in (1, 2, 3)], axis=2)


def classes_seen(image, slack):
    """Return the numbers in a picture of a mask, 255 outside of it, and which of them are certain: not outlines."""
    bright = image > 127
    numbers = np.where(bright.all(0), 255, (bright * np.array([1, 2, 3])[:, None, None]).max(0))
    return numbers, (np.abs(image - bright * 255.0) < slack).all(0)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("way", ["crop", "warp", "exact"])
def test_masks_cover_what_the_image_shows(seed, way):
    """Where a picture of the mask is drawn as the image, the mask is the same, but for pixels on an outline."""
    sample = dict(ShapesDataset((240, 320), seed=2).sample(seed))
    sample["image"] = png(classes_as_colours(sample))
    worker = segmentation(
        (90, 110), image_params={**geometry(seed, way != "crop"), "background": 255}, exact=way == "exact"
    )
    batch = run_worker(worker, [sample])
    seen, certain = classes_seen(batch["image"][0], 60)
    assert certain.mean() > 0.9
    assert (seen == batch["target_image"][0])[certain].all()


@pytest.mark.parametrize("seed", range(10))
def test_masks_cover_what_reduced_jpegs_show(seed):
    sample = dict(ShapesDataset((480, 640), seed=3).sample(seed))
    sample["image"] = jpeg(classes_as_colours(sample))
    drawn = {**geometry(seed, rotated=seed % 2 == 0), "scale": 0.9 + 0.05 * seed, "background": 255}
    batch = run_worker(segmentation((56, 72), image_params=drawn), [sample])
    seen, certain = classes_seen(batch["image"][0], 60)
    assert certain.mean() > 0.8
    assert (seen == batch["target_image"][0])[certain].mean() > 0.999


class Cropping(OpenCVDecoder):
    """Returns what it is asked for, and not a pixel more."""

    def decode(self, data, *, color=True, region=None, min_scale=1.0):
        whole = super().decode(data, color=color)
        if region is None:
            return whole
        top, left, bottom, right = region
        return Decoded(whole.image[top:bottom, left:right], region, 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_decoders_may_cut_out_what_is_shown(seed):
    sample = dict(ShapesDataset((240, 320), seed=2).sample(seed))
    sample["image"] = png(classes_as_colours(sample))
    drawn = {**geometry(seed, seed % 2 == 0), "background": 255}
    size = (3, 90, 110), "uint8"
    cropping = SegmentationWorker(
        size, ((90, 110), "uint8", 255), drawn, ops=(), decoder=Cropping(), target_decoder=IndexDecoder(Cropping())
    )
    cut, whole = (run_worker(worker, [sample]) for worker in (cropping, segmentation((90, 110), image_params=drawn)))
    np.testing.assert_array_equal(cut["target_image"], whole["target_image"])
    seen, certain = classes_seen(cut["image"][0], 60)
    assert (seen == cut["target_image"][0])[certain].all()


def spot(size, x, y, sigma=4.0):
    """A bright spot around a place, in numbers of pixels."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    bright = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(bright).astype(np.uint8)[:, :, None], 3, 2)


def centre(plane):
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return np.array([(plane * columns).sum(), (plane * rows).sum()]) / plane.sum()


def visible_geometry(random, x, y, source, target, rotated):
    """Return parameters under which a spot is not cut off by a border."""
    while True:
        drawn = geometry(int(random.integers(1 << 30)), rotated)
        matrix = inverted(make_transform(source, target, **drawn))
        around = map_points(matrix, [(x + dx, y + dy) for dx in (-16, 16) for dy in (-16, 16)])
        if (around > 1).all() and (around < (target[1] - 1, target[0] - 1)).all():
            return drawn


@pytest.mark.parametrize("seed", range(60))
def test_points_land_on_what_they_mark(seed):
    """A spot of light and the point in its middle are seen at the same place, to less than one pixel."""
    random = np.random.default_rng(seed)
    source, target = (180, 220), (96, 120)
    x, y = random.uniform(40, 140, 2)
    sample = {"image": png(spot(source, x, y)), "experiments": [{"locations": [(x, y)]}]}
    drawn = visible_geometry(random, x, y, source, target, rotated=seed % 3 > 0)
    batch = run_worker(saliency(target, image_params=drawn, exact=seed % 4 == 0), [sample])
    image, gaze = batch["image"][0, 0].astype(float), batch["target_image"][0].astype(float)
    assert np.count_nonzero(gaze) == 1
    assert np.hypot(*(centre(image) - centre(gaze))) < 0.75  # of which at most 0.71 are due to a point filling a pixel


@pytest.mark.parametrize("seed", range(30))
def test_numbers_of_pixels_are_found_again_in_mirrors(seed):
    """Whole numbers, as in files of masks, are the middle of a pixel: not one off, on either side."""
    random = np.random.default_rng(seed)
    size = (20, 30)
    x, y = int(random.integers(30)), int(random.integers(20))
    image = np.zeros((*size, 3), np.uint8)
    image[y, x] = 255
    drawn = {"hmirror": bool(seed & 1), "vmirror": bool(seed & 2)}
    batch = run_worker(
        saliency(size, image_params=drawn), [{"image": png(image), "experiments": [{"fixations": [(x, y)]}]}]
    )
    np.testing.assert_array_equal(batch["target_image"][0] > 0, batch["image"][0, 0] > 0)


@pytest.mark.parametrize("seed", range(20))
def test_a_smaller_mask_shows_the_same(seed):
    sample = ShapesDataset((240, 320), seed=4).sample(seed)
    large, small = (
        run_worker(segmentation((96, 128), size, image_params=geometry(seed)), [sample])["target_image"][0]
        for size in ((96, 128), (24, 32))
    )
    around = np.stack([large[1::4, 1::4], large[1::4, 2::4], large[2::4, 1::4], large[2::4, 2::4]])
    assert (small == around).any(0).all()  # its middle is a corner of these


@pytest.mark.parametrize("seed", range(20))
def test_a_smaller_map_shows_the_same(seed):
    random = np.random.default_rng(seed)
    x, y = random.uniform(40, 140, 2)
    sample = {"image": png(spot((180, 220), x, y)), "experiments": [{"locations": [(x, y)]}]}
    drawn = visible_geometry(random, x, y, (180, 220), (96, 128), rotated=True)
    large, small = (
        centre(run_worker(saliency((96, 128), size, image_params=drawn), [sample])["target_image"][0])
        for size in ((96, 128), (24, 32))
    )
    np.testing.assert_array_equal(small, large // 4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("drawn", [{}, {"angle": 25, "scale": 1.3, "shift": [0.5, -0.2], "hmirror": True}])
def test_annotations_of_stored_pixels_are_turned_with_the_image(orientation, drawn):
    stored = ShapesDataset((80, 120), seed=5).sample(orientation)
    mask = pixels(stored["label_image"])
    turned = np.ascontiguousarray(ORIENTED[orientation](mask))
    rows, columns = np.nonzero(ORIENTED[orientation](np.pad([[1]], [(30, 49), (50, 69)])))
    plain = picture(80, 120)
    samples = [
        {"image": jpeg(plain, orientation), "label_image": png(mask), "experiments": [{"locations": [(50, 30)]}]},
        {
            "image": jpeg(plain, orientation),
            "label_image": png(turned),
            "experiments": [{"locations": [(int(columns[0]), int(rows[0]))]}],
        },
    ]
    for worker in (segmentation, saliency):
        found = [
            run_worker(worker((64, 64), image_params=drawn, annotated=frame), [sample])["target_image"]
            for frame, sample in zip(("stored", "upright"), samples, strict=True)
        ]
        np.testing.assert_array_equal(*found)


def test_a_mask_with_an_orientation_of_its_own_is_turned_by_that():
    image = picture(40, 60)
    mask = (image[..., 0] // 100).astype(np.uint8)
    exif = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 274, 3, 1, 6, 0) + bytes(4)
    plain = png(mask)
    own = plain[:33] + struct.pack(">I", len(exif)) + b"eXIf" + exif
    own += struct.pack(">I", zlib.crc32(b"eXIf" + exif)) + plain[33:]
    with_own, without = (
        run_worker(segmentation((60, 40)), [{"image": jpeg(image, 6), "label_image": data}])["target_image"]
        for data in (own, plain)
    )
    np.testing.assert_array_equal(with_own, without)
    np.testing.assert_array_equal(with_own[0], np.rot90(mask, -1))


@pytest.mark.parametrize("seed", range(100))
def test_there_and_back_for_annotations(seed):
    random = np.random.default_rng(seed)
    height, width = random.integers(5, 4000, 2).tolist()
    info = ImageInfo(height, width, 3, int(random.integers(1, 9)))
    image_size, target_size = random.integers(4, 500, 2).tolist(), random.integers(4, 500, 2).tolist()
    shown = make_transform((height, width), image_size, **geometry(seed))
    frame = ["stored", "upright"][seed % 2]
    matrix = annotation_transform(shown, info, frame, image_size, target_size)
    points = random.uniform(-1, 2, (50, 2)) * annotated_size(info, frame)[::-1]
    np.testing.assert_allclose(map_points(matrix, map_points(inverted(matrix), points)), points, atol=1e-6, rtol=0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_stored_pixels_are_found_in_the_upright_image(orientation):
    stored = np.arange(12).reshape(3, 4)
    upright = ORIENTED[orientation](stored)
    info = ImageInfo(*upright.shape, 1, orientation)
    assert annotated_size(info, "stored") == (3, 4)
    assert annotated_size(info, "upright") == upright.shape
    same = np.array([[1.0, 0, 0], [0, 1, 0]])
    matrix = annotation_transform(same, info, "stored", upright.shape, upright.shape)
    for row, column in np.ndindex(upright.shape):
        ((x, y),) = map_points(matrix, [(column + 0.5, row + 0.5)])
        assert stored[int(y), int(x)] == upright[row, column]


def test_frames_and_planes_are_checked():
    with pytest.raises(ParameterError, match="annotated is 'storred', did you mean 'stored'"):
        check_frame("storred")
    assert plane_size("target_image", buffer_spec(((1, 4, 5), "uint8"))) == (4, 5)
    for shape in ((4,), (3, 4, 5), (0, 5), (1, 1, 4, 5)):
        with pytest.raises(ParameterError, match="target_image: the buffer's shape is"):
            plane_size("target_image", buffer_spec((shape, "uint8")))
