from __future__ import annotations

import json
import os

import pytest
import torch
from torch import nn

from leaven.cli.main import run
from leaven_plugins.snapshots.files import Snapshot, load_snapshot, save_snapshot
from leaven_plugins.snapshots.safetensors import import_weights
from leaven_plugins.snapshots.shelf import Shelf, name_of


def a_network(value):
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)
        network[1].num_batches_tracked.fill_(int(10 * value))
    return network


@pytest.fixture
def a_run(tmp_path, monkeypatch):
    """Three epochs, of which the second is the best, and a part of a fourth; the third is torn."""
    monkeypatch.chdir(tmp_path)
    shelf = Shelf("run/snapshots")
    for epoch, loss in enumerate((0.5, 0.25, 0.3, 0.1), 1):
        network = a_network(epoch)
        parts = {"model": network.state_dict(), "optimizer": torch.optim.SGD(network.parameters(), lr=1).state_dict()}
        about = {"epoch": epoch, "iteration": 10 * epoch, "versions": {"torch": "2"}}
        about |= {"config": {"leaven": {"plugins": ["own.py"]}, "seed": 3}}
        complete = epoch < 4
        values = {"train": {"loss": loss}, "val": {"loss": loss, "accuracy": 0.5}} if complete else None
        shelf.save(name_of(epoch, 35, complete), Snapshot(parts, about), values)
    os.truncate("run/snapshots/epoch_0003/model.pt", 100)
    return "run"


def ckpt(capsys, *arguments, code=0):
    found = run(["ckpt", *map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert (found, err) == (code, "")
    return json.loads(out.splitlines()[-1])


def said(capsys, *arguments, code=0):
    assert run(["ckpt", *map(str, arguments)]) == code
    return capsys.readouterr().out


def error(capsys, *arguments):
    assert run(["ckpt", *map(str, arguments)]) != 0
    return capsys.readouterr().err


def test_info_of_a_run_is_of_its_last_snapshot(a_run, capsys):
    found = ckpt(capsys, "info", a_run)
    assert found["path"] == "run/snapshots/epoch_0004_step_00000035"
    assert (found["epoch"], found["iteration"], found["values"], found["problem"]) == (4, 40, None, None)
    assert (found["versions"], found["plugins"], found["format"]) == ({"torch": "2"}, ["own.py"], 2)
    sizes = {part["name"]: (part["tensors"], part["numbers"]) for part in found["parts"]}
    assert sizes == {"model": (7, 3 * 2 + 2 + 2 * 4 + 1), "optimizer": (0, 0)}
    assert found["bytes"] == sum(
        file.stat().st_size for file in os.scandir(found["path"]) if file.name != "manifest.json"
    )


def test_info_for_people(a_run, capsys):
    text = said(capsys, "info", "run/snapshots/epoch_0002")
    lines = dict(line.split(maxsplit=1) for line in text.splitlines() if len(line.split()) > 1)
    assert lines["state"] == "whole"
    assert lines["values"] == "train loss 0.25, val loss 0.25 accuracy 0.5"
    assert lines["model"].split()[-2:] == ["7", "17"]


def test_info_of_a_torn_one_says_what_is_left(a_run, capsys):
    found = ckpt(capsys, "info", "run/snapshots/epoch_0003")
    assert "model.pt: 100 bytes where the manifest says" in found["problem"]
    assert (found["epoch"], found["values"]["val"]["loss"]) == (3, 0.3)
    assert [part["numbers"] for part in found["parts"]] == [None, 0]
    assert "cannot be read" in said(capsys, "info", "run/snapshots/epoch_0003")


def test_info_of_one_with_odd_tensors_and_an_odd_about(tmp_path, capsys):
    about = {"versions": 1, "config": {"leaven": 2}, "values": 3}
    save_snapshot(tmp_path / "epoch_0001", Snapshot({"model": {"a": torch.eye(3).to_sparse()}}, about))
    described = ckpt(capsys, "info", tmp_path)
    assert [(part["name"], part["tensors"], part["numbers"]) for part in described["parts"]] == [("model", 1, 9)]
    assert (described["versions"], described["plugins"]) == ({}, [])
    assert "whole" in said(capsys, "info", tmp_path)


def test_a_torn_one_is_passed_over_with_a_word(a_run, capsys):
    os.truncate("run/snapshots/epoch_0004_step_00000035/about.json", 1)
    assert run(["ckpt", "info", a_run]) == 0
    out, err = capsys.readouterr()
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["passed over"] * 2
    assert "epoch_0002" in out


def test_list(a_run, capsys):
    found = ckpt(capsys, "list", a_run)
    names = ["epoch_0001", "epoch_0002", "epoch_0003", "epoch_0004_step_00000035"]
    assert [os.path.basename(one["path"]) for one in found["snapshots"]] == names
    assert (found["last"], found["best"]) == (f"run/snapshots/{names[3]}", f"run/snapshots/{names[1]}")
    assert [bool(one["problem"]) for one in found["snapshots"]] == [False, False, True, False]
    rows = [line.split() for line in said(capsys, "list", a_run).splitlines() if "epoch_000" in line[:10]]
    assert [row[0] for row in rows] == names
    assert [rows[1][-1], rows[3][-1]] == ["best", "last"]


def test_verify(a_run, capsys):
    found = ckpt(capsys, "verify", a_run, code=1)["snapshots"]
    assert [one["files"] for one in found] == [3, 3, None, 3]
    assert "model.pt: 100 bytes" in found[2]["problem"]
    text = said(capsys, "verify", "run/snapshots/epoch_0001")
    assert text.startswith("run/snapshots/epoch_0001: whole: 3 files, ")


def test_where_there_is_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in ("info", "list", "verify"):
        assert "nowhere: there is no such folder" in error(capsys, command, "nowhere")
        assert "no complete snapshot" in error(capsys, "info", ".")
    assert ".: no snapshots (folders like epoch_0001)" in error(capsys, "list", ".")


# ---- averages


def test_average(a_run, capsys):
    one, two, four = (f"run/snapshots/epoch_000{name}" for name in ("1", "2", "4_step_00000035"))
    found = ckpt(capsys, "average", one, two, four, "--out", "mean")
    assert found == {"path": "mean", "snapshots": [one, two, four], "numbers": 17}
    mean = load_snapshot("mean")
    assert mean.parts["model"]["0.weight"].dtype == torch.float32
    torch.testing.assert_close(mean.parts["model"]["0.weight"], torch.full((2, 3), 7 / 3))
    assert mean.parts["model"]["1.num_batches_tracked"] == 40
    assert sorted(mean.parts) == ["model", "optimizer"]
    assert mean.about["epoch"] == 4
    assert mean.about["average_of"] == [one, two, four]
    assert "values" not in mean.about
    a_network(0).load_state_dict(mean.parts["model"])


def test_average_of_weights_alone(a_run, capsys):
    ckpt(capsys, "average", "run", "run/snapshots/epoch_0001", "--out", "mean", "--weights")
    mean = load_snapshot("mean")
    assert list(mean.parts) == ["model"]
    assert mean.about["config"]["seed"] == 3
    assert "epoch" not in mean.about


def test_averages_are_exact_to_the_last_bit(tmp_path, capsys, monkeypatch):
    """Ten times the same half-precision weights give the same, which a sum in half precision does not."""
    monkeypatch.chdir(tmp_path)
    weights = torch.rand(1000, generator=torch.Generator().manual_seed(0)).half() * 9000
    save_snapshot("one", Snapshot({"model": {"weight": weights}}, {}))
    ckpt(capsys, "average", *["one"] * 10, "--out", "mean")
    assert torch.equal(load_snapshot("mean").parts["model"]["weight"], weights)


def test_averages_of_averages(a_run, capsys):
    for value in (1.0, 3.0):
        parts = {"model": {"a": torch.tensor(9.0)}, "average": {"weights": {"a": torch.tensor(value)}}}
        save_snapshot(f"s{value:.0f}", Snapshot(parts, {}))
    ckpt(capsys, "average", "s1", "s3", "--out", "mean")
    assert load_snapshot("mean").parts == {"model": {"a": torch.tensor(2.0)}}
    ckpt(capsys, "average", "s1", "s3", "--out", "plain", "--no-average")
    assert load_snapshot("plain").parts["model"]["a"] == 9


def test_averages_of_different_networks_are_refused(a_run, capsys):
    shapes = {"other": {"a": torch.ones(2)}, "shape": {"a": torch.ones(3)}, "name": {"b": torch.ones(2)}}
    for name, model in shapes.items():
        save_snapshot(name, Snapshot({"model": model}, {}))
    assert "shape: a is (3,) of floats, and (2,) of floats in other" in error(
        capsys, "average", "other", "shape", "--out", "mean"
    )
    assert "name and other are of different networks: only one has a, b" in error(
        capsys, "average", "other", "name", "--out", "mean"
    )
    assert "other: exists already" in error(capsys, "average", "name", "--out", "other")
    assert not os.path.exists("mean")


def test_export(a_run, capsys):
    found = ckpt(capsys, "export", a_run, "net.safetensors")
    assert found["tensors"] == 7
    assert found["bytes"] == os.path.getsize("net.safetensors")
    torch.testing.assert_close(import_weights("net.safetensors"), dict(a_network(4).state_dict()))
    assert "expected a file that ends in .safetensors" in error(capsys, "export", a_run, "net.onnx")
