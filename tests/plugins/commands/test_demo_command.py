from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from leaven import Registry
from leaven.cli.main import run
from leaven.errors import UnknownName
from leaven_plugins.commands.demo.centre import centre_bias
from leaven_plugins.commands.demo.command import REMARKS, _has_turbo, config_of
from leaven_plugins.commands.demo.packing import pack_digits
from leaven_plugins.datasets.msgpack import MsgpackDataset

ROOT = Path(__file__).parents[3]
FEW = (
    "data.train.length=32",
    "data.val.length=12",
    "loader.length=16",
    "loader.transport=inline",
    "train.epochs=1",
)


@pytest.mark.parametrize("name", REMARKS)
def test_the_example_is_what_the_demo_runs(name):
    assert (ROOT / "examples" / f"{name}.toml").read_text("utf-8") == config_of(name).read_text("utf-8")


def test_the_digits_are_packed_as_they_are(tmp_path):
    packed = pack_digits(Registry(), tmp_path)
    assert {split: count for split, (_, count) in packed.items()} == {"train": 1437, "val": 360}
    digits = Registry().create("dataset:digits", split="val")
    dataset = MsgpackDataset(packed["val"][0])
    assert dataset.key(7) == digits.key(7)
    dataset.close()


def test_a_short_demo(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = ["--set", "train.epochs=1", "--set", "loader.nworkers=1"]
    assert run(["demo", *short, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    result = json.loads(lines[-1])
    assert set(result) >= {"accuracy", "interval", "epochs", "seconds", "snapshot", "log", "sheet", "losses"}
    for name in ("snapshot", "log", "sheet"):
        assert result[name] in "\n".join(lines[:-1])
        assert Path(result[name]).exists()
    said = "\n".join(lines)
    assert "same 13 writers" in said
    assert "leaven show batch runs/demo/config.toml" in said
    assert Path("runs/demo/data/train.msgpack").exists()
    assert result["accuracy"] > 0.2  # a tenth would be chance

    assert run(["show", "batch", "runs/demo/config.toml", "--out", "batch.png"]) == 0
    again = ["train", "runs/demo/config.toml", "--json", "--set", "loader.transport=inline"]
    assert run(again) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["losses"] == result["losses"]


@pytest.mark.parametrize(("name", "measured"), [("segmentation", {"iou"}), ("saliency", {"nss", "centre_bias"})])
def test_demos_of_shapes_on_a_few_samples(name, measured, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["demo", name, *(word for value in FEW for word in ("--set", value)), "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    result = json.loads(lines[-1])
    assert set(result["values"]) == {*measured, "loss"}
    assert result["predictions"] == f"runs/demo_{name}/predictions.png"
    assert Path(result["predictions"]).exists()
    assert result["images"] == 12
    assert REMARKS[name] in "\n".join(lines)


def test_a_demo_that_does_not_exist(capsys):
    assert run(["demo", "detection"]) == 2
    assert "'detection' is not one of 'digits', 'segmentation', 'saliency'" in capsys.readouterr().err


def test_centre_bias_is_that_of_the_best_gaussian():
    random = np.random.default_rng(0)
    places = np.clip(np.rint(random.normal((12, 20), (3, 5), (200, 2))), 0, (23, 39)).astype(int)
    target = np.zeros((2, 24, 40), np.float32)
    target[random.integers(2, size=200), places[:, 0], places[:, 1]] = 1

    def nss(width):
        y, x = (np.arange(24) - 11.5) / 24, (np.arange(40) - 19.5) / 40
        bell = np.exp(-(y[:, None] ** 2 + x**2) / (2 * width**2))
        return float(((bell - bell.mean()) / bell.std(ddof=1))[np.nonzero(target)[1:]].mean())

    data = [{"target_image": torch.from_numpy(target[:1])}, {"target_image": torch.from_numpy(target[1:, None])}]
    found = centre_bias(data, Registry())
    assert found == pytest.approx(max(nss(width) for width in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)), abs=1e-4)
    assert found > 1.5  # the points are in the middle


@pytest.mark.slow
@pytest.mark.timeout(600)  # of a machine that is busy with other tests
@pytest.mark.parametrize(
    ("name", "value", "least"), [("digits", "accuracy", 0.97), ("segmentation", "iou", 0.9), ("saliency", "nss", 1.7)]
)
def test_demos_learn(name, value, least, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["demo", name, "--json"]) == 0
    values = json.loads(capsys.readouterr().out.splitlines()[-1])["values"]
    assert values[value] >= least
    if name == "saliency":
        assert values["nss"] > 1.5 * values["centre_bias"]


def test_a_blocked_worker_is_named_before_anything_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["-p", "no:classification", "demo"]) == 2
    text = capsys.readouterr().err
    assert "worker: " in text
    assert "blocked" in text
    assert "no:classification" in text
    assert not list(tmp_path.iterdir())


def test_it_knows_whether_the_native_decoder_is_there():
    class Found:
        def find(self, name, kind):
            return name, kind

    class Missing:
        def find(self, name, kind):
            raise UnknownName("no decoder 'turbo'")

    assert _has_turbo(Found())
    assert not _has_turbo(Missing())
