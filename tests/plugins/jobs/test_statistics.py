from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from leaven import Registry, create
from leaven.errors import DecodeError, SampleError
from leaven.testing import tools
from leaven_plugins.commands.data.group import data
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.jobs.statistics.sums import Sums

SIZES = [(5, 9, 3), (12, 7, 3), (3, 3, 1), (8, 20, 3), (6, 6, 3)]
PICTURES = [tools.picture(*size, seed=n) for n, size in enumerate(SIZES)]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.msgpack"
    samples = [{"key": str(n), "image": tools.png(image), "label": n % 2} for n, image in enumerate(PICTURES)]
    MsgpackDataset.write(path, [*samples, {"key": "none", "label": "other"}])
    return path


def pixels():
    return np.concatenate([np.broadcast_to(image, (*image.shape[:2], 3)).reshape(-1, 3) for image in PICTURES])


def test_mean_and_deviation_are_those_of_all_pixels(path, tmp_path):
    found = []
    for block in (1, 4, 100):
        job = create("job:statistics", dataset=MsgpackDataset(path), block=block)
        found.append(job.summary([job.run(number, tmp_path) for number in range(job.blocks)]))
    assert found[0] == found[1] == found[2]
    np.testing.assert_allclose(found[0].pop("mean"), (pixels() / 255).mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found[0].pop("std"), (pixels() / 255).std(axis=0), rtol=1e-13)
    assert found[0] == {
        "samples": 6,
        "images": 5,
        "pixels": len(pixels()),
        "height": [3, 12],
        "width": [3, 20],
        "classes": {0: 3, 1: 2, "other": 1},
    }


def test_the_command_tells_the_same_by_any_engine(path):
    reports = []
    for options in ([], ["--workers", "1"]):
        arguments = ["stats", str(path), "--json", *options]
        result = CliRunner().invoke(data, arguments, obj=Registry(builtin_only=True), standalone_mode=False)
        reports.append(json.loads(result.stdout.splitlines()[-1]))
    assert reports[0] == reports[1]
    assert reports[0]["classes"] == {"0": 3, "1": 2, "other": 1}
    table = CliRunner().invoke(data, ["stats", str(path)], obj=Registry(builtin_only=True)).stdout
    assert all(word in table for word in ("3 to 12 px", "label other", "mean"))


def test_the_command_tells_how_many_more_classes_there_are(tmp_path):
    MsgpackDataset.write(tmp_path / "x.msgpack", tools.samples(50, 4, 4))
    table = CliRunner().invoke(data, ["stats", str(tmp_path / "x.msgpack")], obj=Registry(builtin_only=True)).stdout
    assert "... 30 more" in table
    assert "label 20" not in table
    assert " 4 px" in table


def test_arrays_and_sequences_count_as_their_files_do():
    as_files, as_arrays, as_list = Sums(), Sums(), Sums()
    for image in PICTURES:
        as_files.add({"image": tools.png(image), "label": np.int64(1)}, OpenCVDecoder())
        as_arrays.add({"image": image, "label": True}, OpenCVDecoder())
    as_list.add({"image": PICTURES}, OpenCVDecoder())
    assert as_files == as_arrays
    assert (as_list.first, as_list.images, as_list.samples) == (as_files.first, 5, 1)
    with pytest.raises(DecodeError, match=r"a float64 array of shape \(2, 2, 3\) is no image"):
        Sums().add({"image": np.zeros((2, 2, 3))}, OpenCVDecoder())


def test_nothing_has_no_mean_and_a_broken_image_is_named(tmp_path):
    assert (Sums().summary()["mean"], Sums().summary()["height"]) == (None, None)
    MsgpackDataset.write(tmp_path / "x.msgpack", [{"key": "a", "image": b"<html>"}])
    job = create("job:statistics", dataset=MsgpackDataset(tmp_path / "x.msgpack"))
    with pytest.raises(SampleError, match=r"sample 0 \(a\): decode failed"):
        job.run(0, tmp_path)


@given(values=st.lists(st.integers(0, 255), min_size=1, max_size=60), cut=st.integers(0, 60))
def test_sums_can_be_taken_together_in_any_way(values, cut):
    whole = Sums()
    whole.add({"image": np.array([values], np.uint8), "label": 3}, OpenCVDecoder())
    assert Sums.from_plain(json.loads(json.dumps(whole.to_plain()))) == whole
    parts = Sums()
    for part in (values[cut:], values[:cut]):
        if part:
            one = Sums()
            one.add({"image": np.array([part], np.uint8)}, OpenCVDecoder())
            parts.merge(Sums.from_plain(one.to_plain()))
    assert (parts.first, parts.second, parts.pixels) == (whole.first, whole.second, whole.pixels)
