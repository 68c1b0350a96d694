from __future__ import annotations

import json

import numpy as np
import pytest

from leaven import Registry
from leaven.cli.main import run
from leaven.stream.worker import BufferWorker, Worker
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.commands.show.trace import trace
from leaven_plugins.commands.show.watching import Watch, watched_worker
from leaven_plugins.photos.shipped import photo

REGISTRY = Registry(builtin_only=True)
IMAGE = {"shape": [3, 40, 50], "dtype": "uint8"}
MASK = {"shape": [40, 50], "dtype": "uint8"}
MAP = {"shape": [40, 50], "dtype": "float32"}
CONFIG = """
[data.train]
use = "shapes"
[loader]
batch_size = 4
nworkers = 0
[worker]
use = "classification"
image = { shape = [3, 40, 50], dtype = "float32" }
image_rng = "augmentation_all"
"""


class Clock:
    """A second passes at each look."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


class Samples(list):
    """A dataset of given samples."""

    def sample(self, index):
        return self[index]

    def key(self, index):
        return "a"

    def close(self):
        pass


def replay(name="classification", data=None, **parameters):
    defaults = {"image": IMAGE, "image_rng": "augmentation_all"}
    dataset = REGISTRY.create("dataset:shapes", length=10) if data is None else Samples(data)
    return Replay(dataset, REGISTRY.create(f"worker:{name}", **{**defaults, **parameters}), seed=5)


def test_the_stages_of_one_sample():
    steps = trace(replay(image_params={"order": ["blur", "noise", "gamma_gray"]}), 0, 1)
    assert [step.stage for step in steps] == [
        "read",
        "unpack",
        "info",
        "draw",
        "plan",
        "decode",
        "geometry",
        "op blur",
        "op noise_rgb",
        "op tone",
        "write",
    ]
    by_stage = {step.stage: step for step in steps}
    assert by_stage["decode"].shape == (96, 128, 3)
    assert by_stage["decode"].output == "rows 0-96, columns 0-128, scale 1"
    assert by_stage["geometry"].shape == by_stage["op tone"].shape == (40, 50, 3)
    assert by_stage["write"].shape == (3, 40, 50)
    assert by_stage["write"].dtype == "uint8"
    assert by_stage["unpack"].output == "key, image, label, label_image, experiments"
    assert by_stage["info"].output == "96 x 128, channels: 3"
    made = replay(image_params={"order": ["blur", "noise", "gamma_gray"]}).sample(0, 1)["image"]
    assert (by_stage["write"].low, by_stage["write"].high) == (made.min(), made.max())
    assert all(step.ms > 0 for step in steps)


def test_only_what_is_needed_is_planned_and_decoded():
    data = [{"key": "a", "image": photo("chelsea"), "label": 1}]
    steps = {step.stage: step for step in trace(replay(data=data, image_rng=None), 0, 0)}
    assert steps["plan"].output.startswith("needs rows 0-300, columns ")
    assert steps["decode"].output.endswith("scale 0.25")
    assert steps["read"].output == "sample 0: a mapping"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("classification", {}),
        ("fcn", {"target_image": IMAGE, "target_image_params": {"noise": 0.0}}),
        ("segmentation", {"target_image": MASK}),
        ("saliency", {"target_image": MAP, "target_image_params": {"jitter": 0.1}}),
        ("classification", {"decoder": "simplejpeg"}),
    ],
)
def test_a_watched_worker_makes_the_same(name, parameters):
    pytest.importorskip("simplejpeg") if "decoder" in parameters else None
    plain = replay(name, **parameters)
    watch = Watch()
    watched = Replay(plain.dataset, watched_worker(plain.worker, watch), plain.seed)
    for index in range(3):
        expected, made = plain.sample(1, index), watched.sample(1, index)
        assert expected.keys() == made.keys()
        for key, value in expected.items():
            np.testing.assert_equal(made[key], value)
    assert {"info", "draw", "decode", "geometry", "write"} <= {event.stage for event in watch.events}


def test_stages_within_others_are_not_counted_twice():
    watch = Watch(Clock())
    with watch.stage("outer") as keep:
        with watch.stage("inner") as keep_inner:
            keep_inner("in")
        with watch.stage("outer"):  # a part of it
            pass
        keep("out")
    assert [(event.stage, event.result, event.seconds) for event in watch.events] == [
        ("inner", "in", 1.0),
        ("outer", "out", 2.0),
    ]


class Plain(Worker):
    """A worker without any of an image worker's steps."""

    def process(self, request):
        return {"image": np.zeros((request.rows, 1, 4, 4), np.uint8), "key": [item.key for item in request.samples]}


class Mean(BufferWorker):
    def __init__(self, mean=((1,), "float32")):
        self.add_buffer("mean", mean)

    def prepare(self, sample, row, buffers):
        buffers["mean"][:] = sample["value"]


def test_any_worker_has_a_trace():
    steps = trace(Replay(Samples([{"key": "a"}]), Plain(), 0), 0, 0)
    assert [(step.stage, step.shape) for step in steps] == [("read", None), ("unpack", None), ("process", (1, 4, 4))]
    steps = trace(Replay(Samples([{"value": 3}]), Mean(), 0), 0, 0)
    assert [(step.stage, step.output) for step in steps][-1] == ("process", "mean")


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.toml").write_text(CONFIG)
    return "some.toml"


def test_json(config, capsys):
    assert run(["show", "trace", config, "--index", "3", "--epoch", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["epoch"], told["index"]) == (1, 3)
    assert told["ms"] == pytest.approx(sum(step["ms"] for step in told["steps"]))
    assert set(told["steps"][0]) == {"stage", "output", "shape", "dtype", "low", "high", "ms"}
    assert told["steps"][-1]["dtype"] == "float32"


def test_a_table_for_people(config, capsys):
    assert run(["show", "trace", config]) == 0
    out = capsys.readouterr().out
    lines = [line.split()[0] for line in out.splitlines() if line.strip()]
    assert lines[0] == "stage"
    assert lines[2:5] == ["read", "unpack", "info"]
    assert lines[-1] == "all"
    assert "3x40x50" in out


def test_no_such_sample(config, capsys):
    assert run(["show", "trace", config, "--index", "1000"]) == 2
    assert "no sample 1000" in capsys.readouterr().err
