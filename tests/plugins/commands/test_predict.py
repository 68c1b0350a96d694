from __future__ import annotations

import csv
import json
import os

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from leaven import Registry, create
from leaven.cli.main import run
from leaven.errors import LeavenError
from leaven_plugins.commands.predict.drawing import WRONG
from leaven_plugins.commands.predict.gathering import prediction_sheet
from leaven_plugins.commands.predict.outputs import predicted_by
from leaven_plugins.commands.predict.results import write_results
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.snapshots.files import Snapshot, save_snapshot

CONFIG = """
[data.train]
use = "{data}"
[data.val]
use = "{data}"
{more}
[loader]
batch_size = 3
nworkers = 0
transport = "inline"
shuffle = true
[worker]
use = "{worker}"
image = {{ shape = {shape}, dtype = "uint8" }}
image_rng = "mixture"
{targets}
[model]
{model}
[loss]
use = "{loss}"
[optimizer]
use = "sgd"
lr = 0.1
[train]
device = "cpu"
"""

DIGITS = {
    "data": "digits",
    "more": 'split = "val"\nval = 5',
    "worker": "classification",
    "shape": [1, 12, 12],
    "targets": "classes = 10",
    "model": 'use = "tiny_cnn"\nclasses = 10\nwidth = 4',
    "loss": "cross_entropy",
}
SHAPES = {
    "data": "shapes",
    "more": "length = 4\nsize = [40, 60]",
    "worker": "segmentation",
    "shape": [3, 32, 48],
    "targets": 'target_image = { shape = [16, 24], dtype = "uint8", fill = 0 }',
    "model": 'use = "tiny_fcn"\nclasses = 4\nwidth = 4',
    "loss": "cross_entropy",
}
GAZE = {
    **SHAPES,
    "worker": "saliency",
    "targets": 'target_image = { shape = [32, 48], dtype = "float32", fill = 0 }',
    "model": 'use = "tiny_saliency"\nwidth = 4',
    "loss": "nss",
}


def snapshot_of(folder, table):
    """A network that was not trained."""
    torch.manual_seed(1)
    experiment = Experiment(CONFIG.format(**table), Registry())
    state = experiment.config.build("model").state_dict()
    name = folder / "snapshots" / "epoch_0001"
    return save_snapshot(name, Snapshot({"model": state}, {"epoch": 1, "config": experiment.resolved()}))


def files_of(folder, dataset):
    """The images of a dataset as files, in its order."""
    folder.mkdir()
    for index in range(len(dataset)):
        (folder / f"{index}.png").write_bytes(dataset.sample(index)["image"])
    return [str(folder / f"{index}.png") for index in range(len(dataset))]


def predicted(capsys, *arguments, code=0):
    assert run(["predict", *map(str, arguments), "--json"]) == code
    out, err = capsys.readouterr()
    return json.loads(out.splitlines()[-1]), err


def without_keys(result):
    return [{name: value for name, value in row.items() if name != "key"} for row in result["predictions"]]


# ---- images are what validation makes of them


def test_files_and_folders_are_seen_as_in_validation(tmp_path, capsys):
    snapshot = snapshot_of(tmp_path / "run", DIGITS)
    files = files_of(tmp_path / "digits", create("dataset:digits", split="val", val=5))
    of_data, _ = predicted(capsys, snapshot, "val", "--top", 10)
    of_folder, _ = predicted(capsys, tmp_path / "run", tmp_path / "digits", "--top", 10)
    one, _ = predicted(capsys, snapshot, files[3], files[1], "--top", 10)
    assert of_data["kind"] == "classes"
    targets = [row.pop("target") for row in of_data["predictions"]]
    assert targets == [create("dataset:digits", split="val", val=5).sample(index)["label"] for index in range(5)]
    assert without_keys(of_folder) == without_keys(of_data)
    assert [row["key"] for row in of_folder["predictions"]] == files
    for row, place in zip(one["predictions"], (3, 1), strict=True):
        assert row["key"] == files[place]
        expected = of_data["predictions"][place]["classes"]
        assert [entry["label"] for entry in row["classes"]] == [entry["label"] for entry in expected]
        assert row["classes"][0]["probability"] == pytest.approx(expected[0]["probability"], rel=1e-4)
    for row in of_folder["predictions"]:
        shares = [entry["probability"] for entry in row["classes"]]
        assert sum(shares) == pytest.approx(1)
        assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(("table", "kind"), [(SHAPES, "mask"), (GAZE, "map")])
def test_of_masks_and_maps(table, kind, tmp_path, capsys):
    snapshot = snapshot_of(tmp_path / "run", table)
    files_of(tmp_path / "shapes", create("dataset:shapes", length=4, size=[40, 60]))
    of_data, _ = predicted(capsys, snapshot, "val")
    of_folder, _ = predicted(capsys, snapshot, tmp_path / "shapes", "--out", tmp_path / "out")
    assert of_folder["kind"] == kind
    assert without_keys(of_folder) == without_keys(of_data)
    pictures = {path.name: cv2.imread(str(path)) for path in (tmp_path / "out").glob("*.png")}
    assert sorted(pictures) == [f"{n:05d}_{n}.png" for n in range(4)] + ["predictions.png"]
    assert pictures["00000_0.png"].shape == (128, 2 * 192 + 2, 3)
    if kind == "mask":
        for row in of_folder["predictions"]:
            assert sum(entry["share"] for entry in row["classes"]) == pytest.approx(1)


@pytest.mark.parametrize("table", [SHAPES, {**SHAPES, "targets": SHAPES["targets"] + '\nannotated = "upright"'}])
def test_a_photo_that_is_to_be_turned(table, tmp_path, capsys):
    snapshot = snapshot_of(tmp_path / "run", table)
    photo = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", photo)[1].tobytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # orientation 6
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    assert create("decoder:opencv").info(turned).orientation == 6
    (tmp_path / "turned.jpg").write_bytes(turned)
    result, _ = predicted(capsys, snapshot, tmp_path / "turned.jpg")
    assert len(result["predictions"]) == 1


# ---- what it leaves


def test_a_broken_image_is_told_and_passed_over(tmp_path, capsys):
    snapshot = snapshot_of(tmp_path / "run", DIGITS)
    files = files_of(tmp_path / "digits", create("dataset:digits", split="val", val=5))
    whole, _ = predicted(capsys, snapshot, *files)
    (tmp_path / "digits" / "1.png").write_bytes((tmp_path / "digits" / "1.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "digits" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    arguments = (tmp_path / "digits", tmp_path / "text.png", "--out", tmp_path / "o.json")
    result, err = predicted(capsys, snapshot, *arguments, code=1)
    lost, text = str(tmp_path / "digits" / "lost.png"), str(tmp_path / "text.png")
    assert [broken["key"] for broken in result["failed"]] == [files[1], lost, text]
    assert err.count("skipped") == len(err.splitlines()) == 3
    assert f"skipped {lost}: cannot be read: No such file" in err
    assert "unknown image format" in err
    assert [row["key"] for row in result["predictions"]] == [files[0], *files[2:]]
    assert result["predictions"][1]["classes"][0]["label"] == whole["predictions"][2]["classes"][0]["label"]
    assert json.loads((tmp_path / "o.json").read_text()) == result["predictions"]
    only, _ = predicted(capsys, snapshot, tmp_path / "text.png", code=1)
    assert (only["predictions"], len(only["failed"])) == ([], 1)


def test_a_folder_is_made_even_where_all_images_are_broken(tmp_path, capsys):
    (tmp_path / "text.png").write_text("no image")
    arguments = (snapshot_of(tmp_path / "run", DIGITS), tmp_path / "text.png", "--out", tmp_path / "new" / "out")
    predicted(capsys, *arguments, code=1)
    assert [path.name for path in (tmp_path / "new" / "out").iterdir()] == ["predictions.csv"]


def test_results_that_cannot_be_written(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(LeavenError, match=r"folder\.csv: the predictions cannot be written: Is a directory"):
        write_results(tmp_path / "folder.csv", [{"key": "a"}])
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_a_folder_of_classification(tmp_path, capsys):
    snapshot = snapshot_of(tmp_path / "run", DIGITS)
    assert run(["predict", str(snapshot), "val", "--top", "2", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "digit-" in said
    assert f"wrote {tmp_path / 'out'}" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["predictions.csv", "predictions.png"]
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").read_text().splitlines()))
    assert len(rows) == 5
    assert float(rows[0]["classes.1.probability"]) >= float(rows[0]["classes.2.probability"])


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (["gone.png"], "gone.png: no such file or folder"),
        (["empty"], "empty: no images; their names end in .jpg"),
        (["empty", "digits"], "digits is a dataset or does not exist"),
        (["test"], "no dataset 'test'"),
        (["odd"], r"\udcff.png: the name is not UTF-8; rename the file"),
    ],
)
def test_what_is_no_image(images, text, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / os.fsdecode(b"\xff.png")).write_bytes(b"")
    snapshot = snapshot_of(tmp_path / "run", DIGITS)
    assert run(["predict", str(snapshot), *images]) in (1, 2)
    assert text in capsys.readouterr().err


# ---- what outputs mean


def test_scores_become_probabilities():
    scores = torch.tensor([[0.0, 1.0, 2.0], [100.0, 0.0, -100.0]])
    found = predicted_by(scores)
    exponents = np.exp(scores.double().numpy() - scores.double().numpy().max(1, keepdims=True))
    np.testing.assert_allclose(found.values, exponents / exponents.sum(1, keepdims=True))
    np.testing.assert_allclose(predicted_by(scores, independent=True).values[0], 1 / (1 + np.exp([0.0, -1, -2])))
    np.testing.assert_allclose(predicted_by(torch.zeros(2, 1)).values, np.full((2, 2), 0.5))
    np.testing.assert_allclose(predicted_by(scores[:, :, None, None]).values, found.values)


@pytest.mark.parametrize(
    ("shape", "target", "kind"),
    [
        ((2, 3), np.zeros((2, 1), np.int64), "classes"),
        ((2, 1), np.zeros((2, 1), np.float32), "numbers"),
        ((2, 1), np.zeros((2, 1), np.int64), "classes"),
        ((2, 4, 6, 5), np.zeros((2, 6, 5), np.uint8), "mask"),
        ((2, 3, 6, 5), np.zeros((2, 3, 6, 5), np.uint8), "picture"),
        ((2, 1, 6, 5), np.zeros((2, 6, 5), np.float32), "map"),
        ((2, 1, 6, 5), np.zeros((2, 6, 5), np.uint8), "mask"),
        ((2, 6, 5), None, "map"),
    ],
)
def test_the_kind_of_an_output(shape, target, kind):
    output = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = predicted_by(output, target)
    assert found.kind == kind
    assert len(found.values) == 2
    if shape == (2, 4, 6, 5):
        np.testing.assert_array_equal(found.values, output.numpy().argmax(1))


def test_an_output_of_another_form():
    with pytest.raises(LeavenError, match=r"an output of shape \(2, 3, 4, 5, 6\) is not understood here"):
        predicted_by(torch.zeros(2, 3, 4, 5, 6))


# ---- the sheet


class Fixed(nn.Module):
    """Always says the same class."""

    def __init__(self, number):
        super().__init__()
        self.number = number
        self.dropout = nn.Dropout(0.9)

    def forward(self, sample):
        assert not self.training
        assert not torch.is_grad_enabled()
        scores = torch.zeros(len(sample["image"]), 3)
        scores[:, self.number] = 5
        return {**sample, "output": self.dropout(scores)}


def batches(labels, valid=None):
    image = torch.full((len(labels), 1, 8, 8), 90, dtype=torch.uint8)
    sample = {"image": image, "label": torch.tensor(labels)[:, None], "augmentation": [{}] * len(labels)}
    return [(1, [sample if valid is None else {**sample, "valid": torch.tensor(valid)}])]


def has_frames(sheet):
    return bool((sheet == WRONG).all(-1).any())


def test_names_count_only_where_there_is_one_for_each_class():
    assert predicted_by(torch.zeros(1, 3)).named(("a", "b", "c")) == ["a", "b", "c"]
    assert predicted_by(torch.zeros(1, 4, 2, 2)).named(("a", "b", "c")) == ["0", "1", "2", "3"]


def test_wrong_ones_have_a_frame():
    network = Fixed(1).train()
    right = prediction_sheet(network, batches([1, 1, 1]), ("a", "b", "c"), title="three")
    wrong = prediction_sheet(network, batches([1, 2, 1]), ("a", "b", "c"), title="three")
    assert network.training
    tops = [sheet[: sheet.shape[0] // 2] for sheet in (right, wrong)]  # without the legend
    assert [has_frames(top) for top in tops] == [False, True]


def test_rows_without_a_sample_and_those_beyond_the_count_are_not_shown():
    masked = prediction_sheet(Fixed(1), batches([1, 2, 1], [True, False, True]))
    np.testing.assert_array_equal(masked, prediction_sheet(Fixed(1), batches([1, 1])))
    few = prediction_sheet(Fixed(1), batches([1, 1]) + batches([1, 2]), count=3)
    np.testing.assert_array_equal(few, prediction_sheet(Fixed(1), batches([1, 1, 1])))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_planes_stand_beside_the_image_and_the_target(dtype):
    class Half(nn.Module):
        def forward(self, sample):
            plane = torch.zeros(2, 1, 8, 8)
            plane[:, :, 4:] = 3
            return {**sample, "output": plane - 1}

    image, target = torch.full((2, 3, 8, 8), 120, dtype=torch.uint8), torch.zeros(2, 8, 8, dtype=dtype)
    target[:, :, 4:] = 1
    sheet = prediction_sheet(Half(), [{"image": image, "target_image": target}], count=1)
    left, middle, right = (sheet[20:204, 20 + n * 194 : 204 + n * 194].astype(int) for n in range(3))
    assert np.ptp(left.reshape(-1, 3), axis=0).max() == 0
    assert np.abs(middle[:, :80] - middle[:, -80:]).mean() > 20  # left and right halves differ
    assert np.abs(right[:80] - right[-80:]).mean() > 20  # upper and lower halves


def test_no_samples():
    with pytest.raises(LeavenError, match="there are no samples"):
        prediction_sheet(Fixed(0), [])
