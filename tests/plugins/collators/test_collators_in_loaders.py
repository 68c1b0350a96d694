from __future__ import annotations

import numpy as np
import pytest

import leaven
from leaven import TurboDataLoader
from leaven.testing.tools import samples

WORKER = {"use": "classification", "image": {"shape": [3, 16, 16], "dtype": "uint8"}}
MIX = {"use": "mix", "classes": 12, "lambda_mode": "sample", "shuffle_mode": "random"}


def batches(collators, nworkers, **options):
    with TurboDataLoader(
        samples(12), 4, leaven.create(WORKER, kind="worker"), nworkers, collators=collators, **options
    ) as loader:
        return [
            {key: values.copy() if isinstance(values, np.ndarray) else values for key, values in sample.items()}
            for _ in range(2)
            for _, mini_batches in loader
            for sample in mini_batches
        ]


def test_batches_are_the_same_wherever_they_are_made():
    here = batches([MIX], 0)
    for options in ({"nworkers": 2}, {"nworkers": 2, "shared_memory": False}):
        there = batches([MIX], **options)
        for one, other in zip(here, there, strict=True):
            assert one.keys() == other.keys() == {"image", "label", "augmentation", "target", "mix"}
            assert one["mix"] == other["mix"]
            for key in ("image", "label", "target"):
                np.testing.assert_array_equal(one[key], other[key])
                assert one[key].dtype == other[key].dtype
    assert here[0]["mix"] != here[3]["mix"]  # the same samples, an epoch later


@pytest.mark.parametrize("nworkers", [0, 1])
def test_what_is_mixed_is_what_would_have_been_there(nworkers):
    for plain, mixed in zip(batches([], nworkers), batches([MIX], nworkers), strict=True):
        for row, record in enumerate(mixed["mix"]):
            own, other = (plain["image"][number].astype(float) for number in (row, record["partner"]))
            expected = record["lambda"] * own + (1 - record["lambda"]) * other
            if "box" in record:
                top, left, bottom, right = record["box"]
                expected = own
                expected[:, top:bottom, left:right] = other[:, top:bottom, left:right]
            np.testing.assert_allclose(mixed["image"][row], expected, atol=0.51)
            assert mixed["target"][row, mixed["label"][row, 0]] >= record["lambda"] - 1e-6
