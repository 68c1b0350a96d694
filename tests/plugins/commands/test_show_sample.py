from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from leaven import Registry, TurboDataLoader
from leaven.cli.main import run
from leaven.errors import ParameterError, SampleError
from leaven.stream.worker import Worker
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.commands.show.sample import outline, points_of, text_of
from leaven_plugins.ops.geometry import index_transform, make_transform
from leaven_plugins.ops.rendering import warp

REGISTRY = Registry(builtin_only=True)
IMAGE = {"shape": [3, 40, 50], "dtype": "uint8"}
WORKERS = {
    "classification": {},
    "fcn": {"target_image": IMAGE},
    "segmentation": {"target_image": {"shape": [40, 50], "dtype": "uint8"}},
    "saliency": {"target_image": {"shape": [40, 50], "dtype": "float32"}, "target_image_params": {"jitter": 0.02}},
}
CONFIG = """
seed = 3
[data.train]
use = "shapes"
length = 20
[loader]
batch_size = 4
nworkers = 0
[worker]
use = "saliency"
image = { shape = [3, 40, 50], dtype = "uint8" }
target_image = { shape = [40, 50], dtype = "float32" }
image_rng = "augmentation_all"
"""


def worker(name):
    return REGISTRY.create(f"worker:{name}", image=IMAGE, image_rng="augmentation_all", **WORKERS[name])


def dataset():
    return REGISTRY.create("dataset:shapes", length=10)


def same(first, second):
    assert first.keys() == second.keys()
    for key, value in first.items():
        np.testing.assert_equal(value, second[key])
    return True


@pytest.mark.parametrize("name", WORKERS)
@pytest.mark.parametrize("nworkers", [0, 1])
def test_a_replay_is_what_the_loader_delivers(name, nworkers):
    replay = Replay(dataset(), worker(name), seed=11)
    loader = TurboDataLoader(dataset(), 4, worker(name), nworkers, seed=11, registry=REGISTRY)
    with loader:
        delivered = [sample for _ in range(2) for _, (sample,) in loader]
    rows = [
        {key: value[row : row + 1] for key, value in batch.items()}
        for batch in delivered
        for row in range(len(batch["image"]))
    ]
    assert len(rows) == 20
    for position in (0, 3, 9, 10, 17):
        assert same(replay.sample(*divmod(position, 10)), rows[position])


def test_seed_and_epoch_make_another_one():
    base = Replay(dataset(), worker("classification"), seed=0).sample(0, 2)["image"]
    assert (Replay(dataset(), worker("classification"), seed=1).sample(0, 2)["image"] != base).any()
    assert (Replay(dataset(), worker("classification"), seed=0).sample(1, 2)["image"] != base).any()


@pytest.mark.parametrize(("epoch", "index"), [(0, 10), (0, -1), (-1, 0)])
def test_no_such_sample(epoch, index):
    with pytest.raises(ParameterError, match="samples are 0 to 9, epochs begin with 0"):
        Replay(dataset(), worker("classification"), 0).sample(epoch, index)


def test_a_sample_that_cannot_be_used_is_named():
    data = [{"key": "bad", "image": b"no image", "label": 1}]
    with pytest.raises(SampleError, match=r"sample 0 \(bad\): decode failed"):
        Replay(Samples(data), worker("classification"), 0).sample(0, 0)


class Samples:
    """A dataset of given samples."""

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def sample(self, index):
        return self.samples[index]

    def key(self, index):
        return self.samples[index]["key"]

    def close(self):
        pass


class Halves(Worker):
    """Makes two batches of each sample, or none."""

    def __init__(self, batches=2):
        self.batches = batches

    def process(self, request):
        (item,) = request.samples
        return [{"image": np.full((1, 1, 8, 8), item.index, np.uint8), "part": [part]} for part in range(self.batches)]


def test_workers_that_make_several_batches():
    made = Replay(Samples([{"key": "a"}, {"key": "b"}]), Halves(), 0).sample(0, 1)
    assert made["image"].shape == (2, 1, 8, 8)
    assert made["part"] == [0, 1]
    with pytest.raises(SampleError, match="no batch of it"):
        Replay(Samples([{"key": "a"}]), Halves(0), 0).sample(0, 0)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.toml").write_text(CONFIG)
    return "some.toml"


def test_the_command_tells_the_parameters_and_writes_a_picture(config, capsys):
    assert run(["show", "sample", config, "--epoch", "2", "--index", "7", "-o", "a.png", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    replay = Replay(
        REGISTRY.create("dataset:shapes", length=20),
        REGISTRY.create(
            "worker:saliency",
            image=IMAGE,
            image_rng="augmentation_all",
            target_image=WORKERS["saliency"]["target_image"],
        ),
        seed=3,
    ).sample(2, 7)
    assert told["parameters"] == replay["augmentation"][0]
    assert (told["epoch"], told["index"], told["key"]) == (2, 7, "shapes-00000007")
    assert [(array["key"], array["shape"]) for array in told["arrays"]] == [
        ("image", [3, 40, 50]),
        ("target_image", [40, 50]),
    ]
    for array in told["arrays"]:
        assert array["low"] == replay[array["key"]].min()
        assert array["high"] == replay[array["key"]].max()
    shown = cv2.imread("a.png")
    assert shown.shape[1] > 3 * 400  # the whole image, the sample alone, and under its map


def test_a_table_for_people(config, capsys):
    assert run(["show", "sample", config]) == 0
    out = capsys.readouterr().out
    assert "angle" in out
    assert "target_image   40x50" in out
    assert "sample.png: sample 0 (shapes-00000000) in epoch 0" in out


def test_a_sample_without_an_image_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(
        "from leaven import BufferWorker, Component, hookimpl\n"
        "class Plain(BufferWorker):\n"
        "    def __init__(self):\n        self.add_buffer('image', ((1, 16, 16), 'uint8'))\n"
        "    def prepare(self, sample, row, buffers):\n        buffers['image'][:] = row.index\n"
        "@hookimpl\ndef leaven_workers():\n    yield Component('plain', Plain, 'nothing else')\n"
    )
    (tmp_path / "c.toml").write_text(
        "[data.train]\nuse = 'shapes'\n[loader]\nbatch_size = 1\nnworkers = 0\n[worker]\nuse = 'plain'\n"
    )
    assert run(["-p", "./own.py", "show", "sample", "c.toml", "-o", "a.png"]) == 0
    assert cv2.imread("a.png") is not None
    assert run(["-p", "./own.py", "show", "trace", "c.toml"]) == 0
    assert run(["-p", "./own.py", "show", "augment", "c.toml"]) == 2


def test_an_index_beyond_the_dataset(config, capsys):
    assert run(["show", "sample", config, "--index", "20"]) == 2
    assert "no sample 20" in capsys.readouterr().err


@pytest.mark.parametrize(
    "values",
    [{}, {"angle": 20.0, "hmirror": True}, {"scale": 2.0, "shift": [0.5, -1.0]}, {"aspect": 1.3, "shear": 0.1}],
)
def test_the_outline_is_around_what_is_shown(values):
    source, size = (60, 80), (30, 50)
    corners = outline(source, size, values)
    image = np.zeros((*source, 3), np.uint8)
    cv2.fillConvexPoly(image, np.round((corners - 0.5) * 16).astype(int), (255, 255, 255), cv2.LINE_AA, 4)
    matrix = index_transform(make_transform(source, size, **values))
    shown, inside = (warp(drawn, matrix, size) for drawn in (image, np.full_like(image, 255)))
    assert np.abs(shown[2:-2, 2:-2].astype(int) - inside[2:-2, 2:-2]).mean() < 2


def test_points_of_all_experiments():
    fields = {
        "experiments": [
            {"locations": [[1, 2], [3, 4]]},
            {"fixations": np.array([[5.0, 6.0], [np.nan, 1.0]]), "locations": [[7, 8]]},
            {"fixations": []},
            "nonsense",
        ]
    }
    assert points_of(fields).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert points_of({}).shape == (0, 2)
    assert points_of({"experiments": 3}).shape == (0, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (True, "yes"), (False, "no"), (1.23456, "1.235"), (3, "3"), ([1.0, None], "1, -"), ("a", "a")],
)
def test_values_for_people(value, text):
    assert text_of(value) == text
