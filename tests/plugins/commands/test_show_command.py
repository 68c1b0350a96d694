from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from leaven.cli.main import run
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.commands.show.batches import captions_of, first_images, sheet_of

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


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.toml").write_text(CONFIG)
    return "some.toml"


def test_a_sheet_of_the_first_images(config, capsys):
    assert run(["show", "batch", config, "-n", "23", "--out", "new/a.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"sheet": "new/a.png", "images": 23}
    assert cv2.imread("new/a.png").shape[1] > 3 * 96


def test_the_values_can_be_set(config):
    for seed in (0, 1):
        options = ["--set", f"seed={seed}", "--set", "loader.shuffle=true", "--out", f"{seed}.png"]
        assert run(["show", "batch", config, *options]) == 0
    assert not np.array_equal(cv2.imread("0.png"), cv2.imread("1.png"))


def test_a_mistake_in_the_data_is_said(config, capsys):
    assert run(["show", "batch", config, "--set", "worker.imag=3"]) == 2
    assert "'image'" in capsys.readouterr().err


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
    first, second = (np.full((2, 1, 3, 3), value, np.uint8) for value in (1, 2))
    found = first_images(Batches({"image": first}, {"image": second}), 10)
    assert found.images[:, 0, 0, 0].tolist() == [1, 1, 2, 2]
    assert len(found.captions) == 4
    assert first_images(Batches({"image": first}, {"image": second}), 3).images.shape == (3, 1, 3, 3)


@pytest.mark.parametrize(
    ("sample", "captions"),
    [
        ({"label": np.array([[3], [7]])}, ["label 3", "label 7"]),
        ({"label": np.array([0.5, 1.5])}, ["label 0.5", "label 1.5"]),
        ({"label": np.zeros((2, 4)), "key": ["a", "b"]}, ["a", "b"]),
        ({}, ["image 0", "image 1"]),
    ],
)
def test_what_images_are_called(sample, captions):
    assert captions_of(sample, 2) == captions


def test_samples_without_images_are_an_error():
    with pytest.raises(LeavenError, match="under the key 'image'; keys: target"):
        first_images(Batches({"target": np.zeros((2, 2))}), 1)
    with pytest.raises(ParameterError, match="at least 1"):
        first_images(Batches(), 0)


def test_large_images_get_more_room():
    batches = [Batches({"image": np.zeros((1, 3, size, size), np.uint8)}) for size in (50, 300)]
    small, large = (sheet_of(first_images(found, 1), "title").shape[0] for found in batches)
    assert large > small + 80
