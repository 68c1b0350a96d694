from __future__ import annotations

import hashlib
import pickle
from collections import Counter
from importlib.resources import files

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven_plugins.datasets.digits import DigitsDataset
from leaven_plugins.datasets.digits.sheet import load_sheet

# The first image of the original, in ink of 0..16.
FIRST = """
 0  0  5 13  9  1  0  0
 0  0 13 15 10 15  5  0
 0  3 15  2  0 11  8  0
 0  4 12  0  0  8  8  0
 0  5  8  0  0  9  8  0
 0  4 11  0  1 12  7  0
 0  2 14  5 10 12  0  0
 0  0  6 13 10  0  0  0
"""


def ink(images):
    return (images * 16.0 / 255).round().astype(np.uint8)


def pixels(sample):
    return cv2.imdecode(np.frombuffer(sample["image"], np.uint8), cv2.IMREAD_UNCHANGED)


def labels(dataset):
    return [dataset.sample(n)["label"] for n in range(len(dataset))]


def test_images_and_labels_are_those_of_the_original():
    images, marks = load_sheet()
    assert hashlib.sha256(ink(images).tobytes() + marks.astype(np.uint8).tobytes()).hexdigest() == (
        "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
    )
    assert ink(images[0]).tolist() == [[int(n) for n in row.split()] for row in FIRST.strip().splitlines()]
    assert sorted(set(images.ravel().tolist())) == [round(v * 255 / 16) for v in range(17)]
    assert np.bincount(marks).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_they_are_those_of_scikit_learn():
    original = pytest.importorskip("sklearn.datasets").load_digits()
    images, marks = load_sheet()
    np.testing.assert_array_equal(ink(images), original.images)
    np.testing.assert_array_equal(marks, original.target)


def test_a_sample_is_a_grey_png():
    dataset = DigitsDataset()
    sample = dataset.sample(1796)
    assert sample["key"] == dataset.key(-1) == "digit-1796"
    assert sample["label"] == 8
    image = pixels(sample)
    assert image.shape == (8, 8)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, load_sheet()[0][1796])


def test_the_parts_are_disjoint_complete_and_even():
    parts = {split: DigitsDataset(split) for split in ("train", "val", "all")}
    keys = {split: [part.key(n) for n in range(len(part))] for split, part in parts.items()}
    assert {split: len(names) for split, names in keys.items()} == {"train": 1437, "val": 360, "all": 1797}
    assert sorted(keys["train"] + keys["val"]) == keys["all"]
    assert all(names == sorted(names) for names in keys.values())
    counts, everything = Counter(labels(parts["val"])), Counter(labels(parts["all"]))
    assert all(abs(counts[digit] - everything[digit] * 360 / 1797) <= 1 for digit in range(10))


@pytest.mark.parametrize("val", [1, 10, 500, 1796])
def test_any_number_can_be_held_out(val):
    train, held_out = DigitsDataset("train", val), DigitsDataset("val", val)
    assert len(held_out) == val
    names = {dataset.key(n) for dataset in (train, held_out) for n in range(len(dataset))}
    assert len(names) == 1797
    with pytest.raises(IndexError):
        held_out.key(val)


@pytest.mark.parametrize("size", [1, 4, 28])
def test_images_can_have_another_size(size):
    large, small = DigitsDataset(size=size).sample(5), DigitsDataset().sample(5)
    assert pixels(large).shape == (size, size)
    assert large["label"] == small["label"]
    assert abs(pixels(large).mean() - pixels(small).mean()) < 8


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"split": "vall"}, "no split 'vall', did you mean 'val'"),
        ({"val": 0}, "val must be 1 to 1796"),
        ({"val": 1797}, "val must be 1 to 1796"),
        ({"size": 0}, "size must be 1 to 1024"),
        ({"size": 10**6}, "size must be 1 to 1024"),
    ],
)
def test_wrong_parameters_are_told(params, text):
    with pytest.raises(ParameterError, match=text):
        DigitsDataset(**params)


def test_copies_carry_no_pixels():
    dataset = DigitsDataset("val")
    sample = dataset.sample(3)
    assert len(pickle.dumps(dataset)) < 500
    assert pickle.loads(pickle.dumps(dataset)).sample(3) == sample
    dataset.close()
    assert dataset.sample(3) == sample
    assert dataset.class_names == tuple("0123456789")


def test_the_source_is_credited():
    text = files("leaven_plugins.datasets.digits").joinpath("ATTRIBUTION").read_text()
    for words in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert words in text
