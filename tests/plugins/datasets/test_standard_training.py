"""A standard set from its original files to a trained network: ``leaven train`` with a dataset by its name."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from small_runs import SMALL_RUN

from leaven.cli.main import run
from leaven_plugins.datasets.mnist import Mnist
from leaven_plugins.datasets.standard_store import Store

CONFIG = f"""
seed = 1
[data.train]
use = "mnist"
n_val = 40
from_dir = "files"
data_dir = "sets"
views = ["percent(0, 75)"]
[data.val]
use = "mnist"
split = "val"
n_val = 40
data_dir = "sets"
[worker]
use = "classification"
image = {{ shape = [1, 28, 28], dtype = "uint8" }}
classes = 10
{SMALL_RUN[SMALL_RUN.index("[loader]") :]}"""


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An experiment beside four files of MNIST: a digit is how far down a bar is."""
    folder = tmp_path / "experiment"
    (folder / "files").mkdir(parents=True)
    random = np.random.default_rng(0)
    for prefix, count in (("train", 200), ("t10k", 20)):
        labels = np.arange(count) % 10
        images = random.integers(0, 60, (count, 28, 28))
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 6] += 150
        (folder / f"files/{prefix}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (folder / f"files/{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    monkeypatch.chdir(tmp_path)
    return folder


def train(folder, capsys, workers):
    (folder / "mini.toml").write_text(CONFIG)
    settings = ["--set", "model.features=784", "--set", f"loader.nworkers={workers}"]
    assert run(["train", "experiment/mini.toml", "--json", *settings]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_mnist_is_trained_from_its_files(folder, capsys, monkeypatch):
    sources = [replace(source, sha256=None) for source in Mnist.declaration.sources]
    monkeypatch.setattr(Mnist, "declaration", replace(Mnist.declaration, sources=sources))
    (folder / "sets/mnist").mkdir(parents=True)
    for file in (folder / "files").iterdir():  # where the validation, which has no from_dir, looks for them
        os.link(file, folder / "sets/mnist" / file.name)
    result = train(folder, capsys, 0)
    assert result["images"] == 40
    assert result["accuracy"] > 0.9
    assert [path.name for path in (folder / "sets").iterdir()] == ["mnist"]


@pytest.mark.slow
def test_workers_read_the_arrays_that_were_made(folder, capsys, monkeypatch):
    """They have the real declaration, so the arrays are put where those of the real files would be."""
    real = Store(Mnist.declaration, folder / "sets/mnist")
    sources = [replace(source, sha256=None) for source in Mnist.declaration.sources]
    Store(replace(Mnist.declaration, sources=sources), real.folder, folder / "files").arrays()
    (made,) = real.folder.glob("arrays-*")
    made.rename(real._path(real._key({})))
    assert real.is_ready()
    result = train(folder, capsys, 2)
    assert result["accuracy"] > 0.9
