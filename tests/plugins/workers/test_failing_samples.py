"""Samples that fail, from the image worker to the hands of the consumer."""

from __future__ import annotations

import numpy as np
import pytest

import leaven
from leaven import SampleError, TurboDataLoader
from leaven.errors import SampleErrors
from leaven.stream.quarantine import read_quarantine
from leaven.stream.wire import pack_sample
from leaven.testing.tools import samples
from leaven_plugins.datasets.msgpack import MsgpackDataset

FILL = 77
BAD = {1: ("unpack", ""), 4: ("decode", "DecodeError"), 5: ("decode", "DecodeError"), 9: ("label", "")}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Twelve samples: one is no message, two have damaged images (in the head, and further on), one no label."""
    contents = samples(12)
    contents[4]["image"] = b"no image"
    contents[5]["image"] = contents[5]["image"][:200]
    del contents[9]["label"]
    path = tmp_path_factory.mktemp("bad") / "x.msgpack"
    MsgpackDataset.write(path, [pack_sample(sample) for sample in contents])
    with open(path, "r+b") as file:
        file.seek(MsgpackDataset(path).offset(1))
        file.write(b"\xc1")
    return {"use": "msgpack", "path": str(path)}


def batches(dataset, **options):
    worker = leaven.create(
        "worker:classification",
        image=((3, 16, 16), "uint8", FILL),
        label=((1,), "int64", -1),
        image_rng=leaven.create("rng:mixture", rotation_sigma=5),
    )
    with TurboDataLoader(dataset, 6, worker, max_errors=4, **options) as loader:
        return [sample for _, mini_batches in loader for sample in mini_batches]


@pytest.mark.parametrize("nworkers", [0, 2])
def test_skipped_rows_are_empty_and_the_others_as_ever(dataset, nworkers, tmp_path):
    made = batches(dataset, nworkers=nworkers, on_error="skip", quarantine=tmp_path / "q.jsonl")
    valid = np.concatenate([sample["valid"] for sample in made])
    assert np.flatnonzero(~valid).tolist() == sorted(BAD)
    image, label = (np.concatenate([sample[key] for sample in made]) for key in ("image", "label"))
    assert (image[~valid] == FILL).all()
    assert label.ravel().tolist() == [-1 if row in BAD else row for row in range(12)]
    draws = [draw for sample in made for draw in sample["augmentation"]]
    assert [row for row, draw in enumerate(draws) if draw is None] == sorted(BAD)
    listed = {line.index: (line.stage, line.cause) for line in read_quarantine(tmp_path / "q.jsonl")}
    assert listed == BAD
    assert {line.key for line in read_quarantine(tmp_path / "q.jsonl")} == {f"s{row}" for row in BAD}
    offsets = [line.offset for line in read_quarantine(tmp_path / "q.jsonl")]
    assert offsets == [MsgpackDataset(dataset["path"]).offset(row) for row in sorted(BAD)]


def test_replaced_rows_are_the_same_whoever_makes_them(dataset):
    alone, others = (batches(dataset, nworkers=nworkers, on_error="replace") for nworkers in (0, 2))
    for sample, other in zip(alone, others, strict=True):
        assert sample["valid"].all()
        assert sample["image"].tobytes() == other["image"].tobytes()
        assert sample["label"].tolist() == other["label"].tolist()
    labels = np.concatenate([sample["label"].ravel() for sample in alone])
    assert [row for row in range(12) if labels[row] != row] == sorted(BAD)
    assert not set(labels.tolist()) & {*BAD, -1}


def test_several_errors_of_a_batch_are_raised_together(dataset):
    with pytest.raises(SampleErrors) as caught:
        batches(dataset, nworkers=0)
    assert [(error.index, error.stage) for error in caught.value.exceptions] == [
        (1, "unpack"),
        (4, "decode"),
        (5, "decode"),
    ]
    assert all(isinstance(error, SampleError) for error in caught.value.exceptions)
