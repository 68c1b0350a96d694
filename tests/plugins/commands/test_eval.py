from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from leaven import Registry, create
from leaven.cli.main import run
from leaven_plugins.commands.train.trained import trained_network
from leaven_plugins.snapshots.files import Snapshot, save_snapshot

CONFIG = """
seed = 3
[data.train]
use = "digits"
split = "val"
val = 200
[data.val]
use = "digits"
split = "val"
val = 70
[loader]
batch_size = 32
nworkers = 0
shuffle = true
[worker]
use = "classification"
image = [[1, 8, 8], "uint8"]
image_rng = "mixture"
[model]
use = "tiny_mlp"
features = 64
classes = 10
[loss]
use = "cross_entropy"
[val_loss]
use = "focal"
[[metric]]
use = "accuracy"
[[val_metric]]
use = "accuracy"
[[val_metric]]
use = "iou"
classes = 10
target_key = "label"
[optimizer]
use = "adamw"
lr = 0.05
[trainer]
keep_best = 1
average = { kind = "ema", decay = 0.8 }
[train]
epochs = 3
device = "cpu"
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run, and its records of validation."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "mini.toml").write_text(CONFIG)
    assert run(["train", str(folder / "mini.toml"), "--out", str(folder / "mini")]) == 0
    lines = (folder / "mini" / "log.jsonl").read_text().splitlines()
    return folder / "mini", [record for record in map(json.loads, lines) if record.get("phase") == "val"]


def evaluated(capsys, *arguments):
    code = run(["eval", *map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out.splitlines()[-1])


def scores_of(folder, averaged, dataset):
    """The network's scores of digits as they are, without a loader."""
    network = trained_network(folder, Registry(), averaged=averaged).network
    decoder = create("decoder:opencv")
    samples = [dataset.sample(index) for index in range(len(dataset))]
    images = np.stack([decoder.decode(sample["image"]).image.transpose(2, 0, 1)[:1] for sample in samples])
    with torch.no_grad():
        return network({"image": torch.from_numpy(images)})["output"], [sample["label"] for sample in samples]


def test_the_values_are_those_of_the_training_exactly(trained, capsys):
    folder, records = trained
    found = evaluated(capsys, folder)
    assert found["values"] == {name: records[-1][name] for name in ("accuracy", "iou", "loss")}
    assert (found["epoch"], found["averaged"], found["images"]) == (3, True, 70)
    low, high = found["intervals"]["accuracy"]
    assert low < found["values"]["accuracy"] < high


def test_the_weights_themselves(trained, capsys):
    folder, _ = trained
    snapshot = folder / "snapshots" / "epoch_0002"
    found = evaluated(capsys, snapshot, "--no-average")
    scores, labels = scores_of(snapshot, False, create("dataset:digits", split="val", val=70))
    assert found["values"]["accuracy"] == (scores.argmax(1) == torch.tensor(labels)).sum().item() / 70
    averaged = evaluated(capsys, snapshot)
    assert averaged["values"]["loss"] != found["values"]["loss"]


def test_the_best_snapshot(trained, capsys):
    folder, records = trained
    best = min(records, key=lambda record: record["loss"])
    found = evaluated(capsys, folder, "--best")
    assert (found["epoch"], found["values"]["loss"]) == (best["epoch"], best["loss"])


def test_other_data_and_further_metrics(trained, capsys):
    folder, _ = trained
    metric = '{ use = "f1", classes = 10, per_class = true }'
    found = evaluated(
        capsys, folder, "--data", "digits", "--set", "data.val.split=val", "--limit", 50, "--metric", metric
    )
    scores, labels = scores_of(folder / "snapshots" / "epoch_0003", True, create("dataset:digits", split="val"))
    best, actual = scores.argmax(1)[:50], torch.tensor(labels[:50])
    assert (found["images"], found["values"]["accuracy"]) == (50, (best == actual).sum().item() / 50)
    hits, both = ((best == 3) & (actual == 3)).sum(), (best == 3).sum() + (actual == 3).sum()
    assert found["by_class"]["f1"]["3"] == pytest.approx(2 * hits.item() / both.item())
    assert found["class_names"] == list("0123456789")


def test_the_training_data_in_order_and_not_augmented(trained, capsys):
    folder, _ = trained
    found = evaluated(capsys, folder, "--data", "train")
    scores, labels = scores_of(
        folder / "snapshots" / "epoch_0003", True, create("dataset:digits", split="val", val=200)
    )
    assert found["images"] == 200
    assert found["values"]["accuracy"] == (scores.argmax(1) == torch.tensor(labels)).sum().item() / 200


def test_a_table_for_people(trained, capsys):
    folder, records = trained
    metric = '{ use = "recall", classes = 10, per_class = true }'
    assert run(["eval", str(folder), "--metric", metric]) == 0
    said = capsys.readouterr().out
    assert "epoch_0003 (epoch 3, averaged weights)" in said
    assert "val (70 images)" in said
    row = next(line.split() for line in said.splitlines() if "accuracy" in line)
    assert row[1] == f"{records[-1]['accuracy']:.4g}"
    assert row[3] == "to"
    assert "recall_3" not in said
    assert sum(line.split()[:1] in [[digit] for digit in "0123456789"] for line in said.splitlines()) == 10


# ---- what goes wrong


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--data", "digit"], 2, "did you mean 'digits'"),
        (["--data", "{ use = digits }"], 2, "not a table in the form of TOML"),
        (["--data", "gone.msgpack"], 1, "gone.msgpack: no such file or folder"),
        (["--metric", "ioo"], 2, "no metric 'ioo', did you mean 'iou'"),
        (["--metric", "accuracy"], 1, "two metrics have a value called 'accuracy'"),
        (["--device", "gpu"], 2, "device 'gpu': expected 'auto'"),
        (["--limit", "0"], 2, "--limit"),
    ],
)
def test_what_cannot_be_measured(trained, capsys, monkeypatch, tmp_path, arguments, code, text):
    monkeypatch.chdir(tmp_path)
    assert run(["eval", str(trained[0]), *arguments]) == code
    assert text in capsys.readouterr().err


def test_an_experiment_without_validation_data_and_a_snapshot_without_experiment(tmp_path, capsys):
    config = {"data": {"train": {"use": "digits"}}}
    save_snapshot(tmp_path / "one" / "epoch_0001", Snapshot({"model": {}}, {"config": config}))
    assert run(["eval", str(tmp_path / "one")]) == 1
    assert "the experiment has no data.val; it has: train" in capsys.readouterr().err
    save_snapshot(tmp_path / "two" / "epoch_0001", Snapshot({"model": {}}, {}))
    assert run(["eval", str(tmp_path / "two")]) == 1
    assert "no configuration is in it" in capsys.readouterr().err
