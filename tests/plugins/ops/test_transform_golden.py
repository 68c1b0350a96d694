"""KappaData's transforms, whose golden cases are informative: draws and numbers that our ops share with them.

They were made with numpy's generators, as ours are, and for each of the seeds 0, 1 and 2. Where both draw in the same
order the results are equal.
"""

from __future__ import annotations

import ast
import json

import numpy as np
import pytest

from leaven.protocols import ImageInfo
from leaven_plugins.ops.color_jitter import ColorJitter
from leaven_plugins.ops.crop import RandomCrop, RandomResizedCrop
from leaven_plugins.ops.erasing import Erasing
from leaven_plugins.ops.flip import Flip

NAMES = {0: "brighten", 1: "contrast_factor", 2: "saturate", 3: "hue"}


@pytest.fixture
def transform(golden):
    """From the name of a transform to (image, its result, what it noted) of each seed; images are HWC."""
    index = json.loads((golden / "kappadata.index.json").read_text("utf-8"))
    cases = {case["id"]: case for case in index["cases"]}

    def read(name):
        case = cases[f"transform/{name}"]
        with np.load(golden / index["npz"], allow_pickle=False) as arrays:
            image, *outputs = (
                np.ascontiguousarray(arrays[part["$array"].replace("/", "|")].transpose(1, 2, 0))
                for part in (case["args"]["img"], *case["expected"]["outputs"])
            )
        notes = map(ast.literal_eval, case["expected"]["ctx"])
        return [(image, output, note) for output, note in zip(outputs, notes, strict=True)]

    return read


def drawn(op, image, seed):
    return op.draw(np.random.default_rng(seed), ImageInfo(*image.shape))


def done(op, image, seed):
    return op.apply(image, drawn(op, image, seed), np.random.default_rng(seed))


def test_flip(transform):
    for seed, (image, expected, _) in enumerate(transform("KDRandomHorizontalFlip")):
        values = drawn(Flip(0.5), image, seed)
        assert values["flip_left_right"] is not np.array_equal(image, expected)
        np.testing.assert_array_equal(Flip().apply(image, values, None), expected)


def test_random_crop(transform):
    for seed, (image, expected, note) in enumerate(transform("KDRandomCrop")):
        place = note["random_crop"]
        op = RandomCrop([place["h"], place["w"]])
        np.testing.assert_allclose(drawn(op, image, seed)["random_crop"], [place["i"] / 20, place["j"] / 30])
        np.testing.assert_array_equal(done(op, image, seed), expected)


def test_random_resized_crop(transform):
    for seed, (image, expected, note) in enumerate(transform("KDRandomResizedCrop")):
        place = note["random_resized_crop"]
        op = RandomResizedCrop(expected.shape[:2])
        top, left, bottom, right = np.multiply(drawn(op, image, seed)["random_resized_crop"], [20, 30, 20, 30])
        found = [top, left, bottom - top, right - left]
        np.testing.assert_allclose(found, [place[name] for name in "ijhw"], atol=1e-9)
        apart = np.abs(done(op, image, seed) - expected)
        if place["h"] > expected.shape[0] or place["w"] > expected.shape[1]:  # theirs takes in more pixels then
            assert apart.mean() < 0.12  # of white noise
        else:
            assert apart.max() < 0.002


def test_color_jitter(transform):
    limits = (0.6, 1.4)
    op = ColorJitter(limits, limits, limits, (-36, 36))
    for seed, (image, expected, note) in enumerate(transform("KDColorJitter")):
        values = drawn(op, image, seed)["color_jitter"]
        assert list(values) == [NAMES[step] for step in note["KDColorJitter.fn_idx"]]
        assert values["brighten"] == note["KDColorJitter.brightness"]
        assert values["contrast_factor"] == note["KDColorJitter.contrast"]
        assert values["saturate"] == note["KDColorJitter.saturation"]
        assert values["hue"] == pytest.approx(note["KDColorJitter.hue"] * 360)
        np.testing.assert_allclose(done(op, image, seed), expected, atol=0.002, rtol=0.001)


def test_random_erasing(transform):
    """The probability, then area and aspect, are drawn as theirs; its aspect is height divided by width."""
    op = Erasing(prob=1)
    for seed, (image, expected, _) in enumerate(transform("KDRandomErasing")):
        for found in (done(op, image, seed), expected):
            hole = (found == 0).all(2)
            rows, columns = hole.any(1).nonzero()[0], hole.any(0).nonzero()[0]
            assert hole.sum() == len(rows) * len(columns)
            np.testing.assert_array_equal(found[~hole], image[~hole])
            assert 0.02 * 0.8 <= hole.mean() <= 1 / 3 * 1.1
            assert 0.3 / 1.2 <= len(columns) / len(rows) <= 1.2 / 0.3
        ((top, left, bottom, right),) = drawn(op, image, seed)["erasing"]
        if seed != 1:  # turned, theirs would not fit there
            assert (len(rows), len(columns)) == (round((right - left) * 30), round((bottom - top) * 20))
