from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from leaven import Registry
from leaven.cli.main import run
from leaven.errors import LeavenError
from leaven_plugins.commands.export import files
from leaven_plugins.commands.export.rebuilding import Plain, example_of, rebuilt
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.snapshots.files import Snapshot, save_snapshot
from leaven_plugins.snapshots.safetensors import import_weights

CONFIG = """
[data.train]
use = "digits"
[loader]
batch_size = 64
nworkers = 0
shuffle = true
[worker]
use = "classification"
image = [[1, 16, 16], "uint8"]
[model]
use = "tiny_cnn"
classes = 10
width = 4
[loss]
use = "cross_entropy"
[optimizer]
use = "sgd"
lr = 0.1
"""

EXPORTER = "torch.onnx._internal.exporter._registration"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """A network that was not trained, and an average in which all weights are zero."""
    experiment = Experiment(CONFIG, Registry())
    state = experiment.config.build("model").state_dict()
    zeros = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    parts = {"model": state, "average": {"calls": 1, "count": 1, "weights": zeros}}
    folder = tmp_path_factory.mktemp("run") / "snapshots" / "epoch_0001"
    return save_snapshot(folder, Snapshot(parts, {"epoch": 1, "config": experiment.resolved()}))


def export(capsys, *arguments):
    code = run(["export", *map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out.splitlines()[-1])


def expected(snapshot, averaged=False):
    network = rebuilt(snapshot, Registry(), averaged)
    image = example_of(network, 7)
    return image, network.plain(image).detach()


def test_a_file_for_torch(snapshot, tmp_path, capsys):
    run_folder = snapshot.parents[1]
    result = export(capsys, run_folder, "--format", "torch", "--out", tmp_path / "net.pt2", "--no-average")
    assert result["input"] == {"name": "image", "shape": [None, 1, 16, 16], "dtype": "uint8"}
    assert result["output"] == {"name": "output", "shape": [None, 10], "dtype": "float32"}
    assert result["preprocessing"] == "integers of 0 to 255 as they are; their scaling is in the file"
    assert (result["difference"], result["averaged"], result["snapshot"]) == (0, False, str(snapshot))
    image, output = expected(snapshot)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*treespec, LeafSpec")
        network = torch.export.load(tmp_path / "net.pt2").module()
    for rows in (7, 1):
        torch.testing.assert_close(network(image[:rows]).detach(), output[:rows])
    assert image.float().std() > 10  # of real images
    assert output.std(0).max() > 1e-4  # which the network tells apart


@pytest.mark.slow
def test_a_file_for_onnx(snapshot, tmp_path, capsys):
    import onnxruntime

    out = tmp_path / "net.onnx"
    filters = list(logging.getLogger(EXPORTER).filters)
    result = export(capsys, snapshot, "--format", "onnx", "--out", out, "--no-average")
    assert logging.getLogger(EXPORTER).filters == filters
    assert result["difference"] < 1e-5
    assert result["checked_by"] == f"onnxruntime {onnxruntime.__version__}"
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    image, output = expected(snapshot)
    for rows in (7, 1):
        found = session.run(["output"], {"image": image[:rows].numpy()})[0]
        np.testing.assert_allclose(found, output[:rows].numpy(), atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx"]


@pytest.mark.slow
def test_a_file_for_a_number_of_rows_checked_without_onnxruntime(snapshot, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnxruntime" else True)
    result = export(capsys, snapshot, "--format", "onnx", "--out", tmp_path / "net.onnx", "--batch", 2, "--no-average")
    assert result["input"]["shape"] == [2, 1, 16, 16]
    assert result["checked_by"].startswith("opencv")
    assert result["difference"] < 1e-5


def test_weights_are_the_average_where_there_is_one(snapshot, tmp_path, capsys):
    result = export(capsys, snapshot, "--format", "safetensors", "--out", tmp_path / "net.safetensors")
    assert result["averaged"] is True
    state = import_weights(tmp_path / "net.safetensors")
    assert not any(tensor.any() for tensor in state.values())
    assert expected(snapshot, averaged=True)[1].abs().max() == 0
    assert result["weights"] == sum(
        tensor.numel() for name, tensor in state.items() if name.endswith(("weight", "bias"))
    )


def test_people_are_told_the_same(snapshot, tmp_path, capsys):
    assert run(["export", str(snapshot), "--format", "torch", "--out", str(tmp_path / "net.pt2"), "--no-average"]) == 0
    said = capsys.readouterr().out
    assert "input   image (any, 1, 16, 16) uint8: integers of 0 to 255 as they are" in said
    assert "largest difference 0.0e+00 of the largest output" in said


# ---- what goes wrong


def test_a_snapshot_without_configuration(tmp_path, capsys):
    save_snapshot(tmp_path / "epoch_0001", Snapshot({"model": {}}, {}))
    assert run(["export", str(tmp_path), "--format", "onnx", "--out", str(tmp_path / "net.onnx")]) == 1
    assert "no configuration is in it, so the network cannot be built; leaven ckpt export" in capsys.readouterr().err


@pytest.mark.parametrize("rows", ["0", "-1", "some"])
def test_a_number_of_rows_that_is_none(rows, capsys):
    assert run(["export", "run", "--format", "onnx", "--out", "net.onnx", "--batch", rows]) == 2
    assert f"'{rows}' is neither a number from 1 nor 'dynamic'" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["folder", "nowhere/net.onnx"])
def test_a_place_where_no_file_can_be(out, tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    assert run(["export", "run", "--format", "onnx", "--out", str(tmp_path / out)]) == 1
    assert f"{tmp_path / out}: expected the name of a file, in a folder that exists" in capsys.readouterr().err


def test_not_a_number_for_some_numbers_of_rows_is_a_difference(tmp_path):
    plain, image = Plain(nn.Identity()), torch.ones(4, 1)
    plain.forward = lambda rows: rows

    def run_wrongly(_, images):
        return "a test", [images[0], images[1] / 0 * 0, images[2]]

    with pytest.raises(LeavenError, match="run by a test, they differ by nan"):
        files._compare(plain, image, run_wrongly, tmp_path, None)


class Fickle(nn.Module):
    """Gives other results in a file than in Python: what a graph has frozen."""

    calls = 0

    def forward(self, sample):
        self.calls += 1
        return {**sample, "output": sample["image"].float() + self.calls}


class Deciding(nn.Module):
    def forward(self, sample):
        return {**sample, "output": sample["image"] if sample["image"].sum() > 3 else -sample["image"]}


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (Fickle(), "the file gives other results than the network: run by torch .*; nothing is written"),
        (Deciding(), "the network cannot be written as a graph: "),
    ],
)
def test_a_network_that_cannot_be_written(snapshot, tmp_path, network, text):
    made = rebuilt(snapshot, Registry())
    other = type(made)(Plain(network), made.experiment, made.snapshot, False)
    with pytest.raises(LeavenError, match=text):
        files.write_network(other, tmp_path / "net.pt2", "torch", None)
    assert list(Path(tmp_path).iterdir()) == []
