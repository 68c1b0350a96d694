from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from leaven.cli.main import run
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.commands.show.batches import Names, captions_of, first_images, sheet_of
from leaven_plugins.commands.show.command import size_given

CONFIG = """
[data.train]
use = "digits"
split = "val"
[loader]
batch_size = 10
nworkers = 2
[worker]
use = "classification"
image = { shape = [1, 24, 24], dtype = "uint8" }
image_params = { color = false }
[model]
use = "a model of another world"
"""

TASKS = {
    "classification": ("", {}),
    "fcn": ('target_image = { shape = [3, 48, 64], dtype = "uint8" }', {"target_image": "beside"}),
    "segmentation": ('target_image = { shape = [48, 64], dtype = "uint8" }', {"target_image": "mask"}),
    "saliency": (
        'target_image = { shape = [48, 64], dtype = "float32" }\ntarget_image_params = { blur = 0.05 }',
        {"target_image": "heat"},
    ),
}
TASK = """
[data.train]
use = "dataset:shapes"
[loader]
batch_size = 4
nworkers = 0
shuffle = true
[worker]
use = "{task}"
image = {{ shape = [3, 48, 64], dtype = "uint8" }}
image_rng = "augmentation_train"
{more}
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.toml").write_text(CONFIG)
    return "some.toml"


@pytest.fixture(params=TASKS)
def task(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more, layers = TASKS[request.param]
    (tmp_path / "task.toml").write_text(TASK.format(task=request.param, more=more))
    return layers


def result(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def picture(path):
    return cv2.imread(str(path))[..., ::-1]


def test_a_sheet_of_the_first_images(config, capsys):
    assert run(["show", "batch", config, "-n", "23", "--out", "new/a.png", "--json"]) == 0
    assert result(capsys) == {"out": "new/a.png", "images": 23, "layers": {}}
    assert picture("new/a.png").shape[1] > 3 * 96


def test_a_sheet_for_each_task(task, capsys):
    assert run(["show", "batch", "task.toml", "-n", "5", "-o", "a.png", "--json"]) == 0
    assert result(capsys) == {"out": "a.png", "images": 5, "layers": task}
    sheet = picture("a.png")
    assert sheet.shape[1] >= 3 * 64
    assert sheet.std() > 20


def test_one_image_in_several_epochs(task, capsys):
    assert run(["show", "batch", "task.toml", "--unique", "-n", "4", "--json"]) == 0
    assert result(capsys) == {"out": "sheet.png", "images": 4, "layers": task}
    many = picture("sheet.png")
    assert run(["show", "batch", "task.toml", "--unique", "-n", "4", "--set", "worker.image_rng=none"]) == 0
    assert (picture("sheet.png") != many).any()


def test_the_values_can_be_set(config):
    for seed in (0, 1):
        options = ["--set", f"seed={seed}", "--set", "loader.shuffle=true", "--out", f"{seed}.png"]
        assert run(["show", "batch", config, *options]) == 0
    assert not np.array_equal(picture("0.png"), picture("1.png"))


def test_a_mistake_in_the_data_is_said(config, capsys):
    assert run(["show", "batch", config, "--set", "worker.imag=3"]) == 2
    assert "'image'" in capsys.readouterr().err


def test_a_file_that_is_not_there(config, capsys):
    assert run(["show", "batch", "other.toml"]) == 2
    assert "other.toml: cannot be read" in capsys.readouterr().err


def test_what_is_wrong_with_a_sample_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images" / "a").mkdir(parents=True)
    (tmp_path / "images" / "a" / "b.png").write_bytes(b"no image")
    assert run(["show", "batch", "images"]) == 1
    assert "sample 0 (a/b.png): decode failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "size"), [("224", (224, 224)), ("96x128", (96, 128)), ("96X128", (96, 128)), (None, None)]
)
def test_sizes(text, size):
    assert size_given(None, None, text) == size


@pytest.mark.parametrize("text", ["0", "-3", "a", "3x", "3x4x5", "9000", ""])
def test_no_sizes(text, config, capsys):
    assert run(["show", "batch", "digits", "--size", text]) == 2
    assert "expected pixels as in 224" in capsys.readouterr().err


class Batches:
    """Stands for a loader: batches of two rows."""

    def __init__(self, *samples):
        self.samples = samples

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass

    def __iter__(self):
        return iter((i, [sample]) for i, sample in enumerate(self.samples))


def test_fewer_images_than_wanted_are_all_of_them():
    first, second = (np.full((2, 1, 16, 16), value, np.uint8) for value in (1, 2))
    found = first_images(Batches({"image": first}, {"image": second}), 10)
    assert [picture[0, 0, 0] for picture in found.shown.pictures] == [1, 1, 2, 2]
    assert len(found.captions) == 4
    assert len(first_images(Batches({"image": first}, {"image": second}), 3).shown.pictures) == 3


def test_no_images_are_an_error():
    with pytest.raises(LeavenError, match="no samples to show"):
        first_images(Batches(), 3)


@pytest.mark.parametrize(
    ("sample", "names", "captions"),
    [
        ({"label": np.array([[3], [7]])}, Names(), ["label 3", "label 7"]),
        ({"label": np.array([0.5, 1.5])}, Names(classes=["a", "b"]), ["label 0.5", "label 1.5"]),
        ({"label": np.array([1, 0])}, Names(["k", "l"], ["cat", "dog"]), ["label 1: dog", "label 0: cat"]),
        ({"label": np.array([1, -1])}, Names(classes=["0", "1"]), ["label 1", "label -1"]),
        ({"label": np.zeros((2, 4)), "key": ["a", "b"]}, Names(), ["a", "b"]),
        ({}, Names(["k", "l", "m"]), ["k", "l"]),
        ({}, Names(["k"]), ["image 0", "image 1"]),
        ({}, Names(), ["image 0", "image 1"]),
    ],
)
def test_what_images_are_called(sample, names, captions):
    assert captions_of(sample, 2, names) == captions


def test_samples_without_images_are_an_error():
    with pytest.raises(LeavenError, match="under the key 'image'; keys: target"):
        first_images(Batches({"target": np.zeros((2, 2))}), 1)
    with pytest.raises(ParameterError, match="at least 1"):
        first_images(Batches(), 0)


def test_large_images_get_more_room():
    batches = [Batches({"image": np.zeros((1, 3, size, size), np.uint8)}) for size in (50, 300)]
    small, large = (sheet_of(first_images(found, 1), "title").shape[0] for found in batches)
    assert large > small + 80
