from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.stream.wire import pack_sample
from leaven.testing import DatasetContract
from leaven_plugins.datasets.shapes import ShapesDataset
from leaven_plugins.datasets.shapes.forms import FORMS
from leaven_plugins.datasets.shapes.scene import Thing, draw_things, paint


def pixels(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


class TestShapes(DatasetContract):
    spec = "dataset:shapes"
    samples = None
    params = {"size": [32, 40], "length": 12, "format": "jpeg"}


def test_a_sample_has_everything_that_workers_read():
    sample = ShapesDataset((48, 64)).sample(7)
    assert list(sample) == ["key", "image", "label", "label_image", "experiments"]
    assert sample["key"] == "shapes-00000007"
    assert pixels(sample["image"]).shape == (48, 64, 3)
    mask = pixels(sample["label_image"])
    assert mask.shape == (48, 64)
    assert mask.dtype == np.uint8
    assert len(sample["experiments"]) == 5
    for experiment in sample["experiments"]:
        assert experiment["locations"].shape == (12, 2)
        assert experiment["locations"].dtype == np.float32


@pytest.mark.parametrize("index", range(10))
def test_people_look_at_objects(index):
    sample = ShapesDataset((60, 80), seed=3).sample(index)
    mask = pixels(sample["label_image"])
    points = np.concatenate([experiment["locations"] for experiment in sample["experiments"]])
    columns, rows = np.rint(points).astype(int).T
    assert (mask[rows, columns] > 0).all()


@pytest.mark.parametrize("index", range(10))
def test_the_label_is_the_class_of_the_largest_object(index):
    sample = ShapesDataset((96, 96)).sample(index)
    count, _, statistics, _ = cv2.connectedComponentsWithStats((pixels(sample["label_image"]) > 0).astype(np.uint8))
    areas = sorted(statistics[1:, cv2.CC_STAT_AREA].tolist())
    assert 1 <= count - 1 <= 4
    assert areas[-1] > 1.8 * ([0, *areas])[-2]
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    labels = cv2.connectedComponents((pixels(sample["label_image"]) > 0).astype(np.uint8))[1] == largest
    assert set(pixels(sample["label_image"])[labels].tolist()) == {sample["label"] + 1}


def test_all_classes_come_equally_often():
    dataset = ShapesDataset(32, 300)
    counts = Counter(dataset.sample(n)["label"] for n in range(300))
    assert sorted(counts) == [0, 1, 2]
    assert min(counts.values()) > 70


def test_a_sample_depends_on_seed_and_position_alone():
    short, long = ShapesDataset(32, 10, seed=1), ShapesDataset(32, 10**12, seed=1)
    assert pack_sample(short.sample(-1)) == pack_sample(long.sample(9)) == pack_sample(short.sample(9))
    assert pack_sample(long.sample(10**12 - 1)) != pack_sample(long.sample(10**12 - 2))
    assert pack_sample(ShapesDataset(32, 10, seed=2).sample(9))[30:] != pack_sample(short.sample(9))[30:]
    assert len(long) == 10**12


def test_pictures_are_sharp_in_any_size():
    """Objects of the same scene grow with the picture; outlines do not get wider."""
    for size in ((16, 16), (64, 512), (700, 500)):
        assert pixels(ShapesDataset(size).sample(0)["image"]).shape[:2] == size


@pytest.mark.parametrize("name", FORMS)
def test_forms_have_the_area_of_a_disc(name):
    rows, columns = np.mgrid[-2:2:1000j, -2:2:1000j]
    inside = FORMS[name](columns, rows) < 0
    assert inside.mean() * 16 == pytest.approx(np.pi, rel=0.01)
    assert (columns[inside].mean(), rows[inside].mean()) == pytest.approx((0, 0), abs=0.01)


def test_mask_and_picture_have_the_same_outlines():
    thing = Thing(0, 30.3, 25.7, 14.2, 0.0, (255, 0, 0))
    painted = paint((50, 60), [thing], list(FORMS), np.random.default_rng(0))
    red = painted.image[..., 0].astype(int) - painted.image[..., 1]
    assert ((red > 120) == (painted.mask == 1)).mean() > 0.99
    rows, columns = np.nonzero(painted.mask)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((30.3, 25.7), abs=0.1)


def test_objects_do_not_touch():
    for seed in range(30):
        things = draw_things((90, 70), 3, np.random.default_rng(seed))
        for number, one in enumerate(things):
            for other in things[:number]:
                assert np.hypot(one.x - other.x, one.y - other.y) > 1.6 * (one.radius + other.radius)


@pytest.mark.parametrize("classes", [["triangle"], ["square", "disc"]])
def test_classes_can_be_chosen(classes):
    dataset = ShapesDataset(32, classes=classes)
    assert dataset.class_names == tuple(classes)
    assert {dataset.sample(n)["label"] for n in range(20)} == set(range(len(classes)))


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"size": 15}, "size is 15"),
        ({"size": (32, 9000)}, r"size is \(32, 9000\); it has to be one number, or height and width, of 16 to 8192"),
        ({"size": (32, 32, 32)}, "size is"),
        ({"length": 0}, "length is 0"),
        ({"classes": []}, "there has to be at least one"),
        ({"classes": ["disc", "disc"]}, "none of them twice"),
        ({"classes": ["disk"]}, "no shape 'disk', did you mean 'disc'"),
        ({"format": "jpg"}, "no format 'jpg', did you mean 'jpeg'"),
    ],
)
def test_wrong_parameters_are_told(params, text):
    with pytest.raises(ParameterError, match=text):
        ShapesDataset(**params)


def test_there_is_nothing_beyond_the_end():
    for position in (10, -11):
        with pytest.raises(IndexError, match=f"no sample {position}, there are 10"):
            ShapesDataset(32, 10).sample(position)
