"""leaven data get: sets by name, fetched, verified, listed and deleted."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from leaven import Registry
from leaven.errors import DatasetError, FormatError, ParameterError, UnknownName
from leaven_plugins.commands.data.byte_progress import byte_progress
from leaven_plugins.commands.data.group import data
from leaven_plugins.datasets.mnist import Mnist
from leaven_plugins.fetching.sources import Download


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with four small files of MNIST, which are the ones that are declared."""
    folder = tmp_path / "files"
    folder.mkdir()
    for source, shape in zip(Mnist.declaration.sources, [(4, 28, 28), (4,), (2, 28, 28), (2,)], strict=True):
        header = bytes([0, 0, 8, len(shape)]) + b"".join(side.to_bytes(4, "big") for side in shape)
        (folder / source.filename).write_bytes(gzip.compress(header + np.zeros(shape, np.uint8).tobytes()))
    sources = [Download(s.filename, [(folder / s.filename).as_uri()]) for s in Mnist.declaration.sources]
    monkeypatch.setattr(Mnist, "declaration", replace(Mnist.declaration, sources=sources))
    monkeypatch.setenv("LEAVEN_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def run():
    def run(*arguments, registry=None):
        registry = registry or Registry(builtin_only=True)
        result = CliRunner().invoke(data, ["get", *map(str, arguments)], obj=registry, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return run


def test_a_set_is_got_and_deleted(run, files, tmp_path):
    folder = tmp_path / "home" / "data" / "mnist"
    assert f"mnist is ready: {folder} (" in run("mnist")
    report = json.loads(run("mnist", "--json").splitlines()[-1])
    assert report["sets"][0]["folders"] == [str(folder)]
    assert report["sets"][0]["bytes"] > 6 * 784
    assert len(list(folder.iterdir())) == 5
    deleted = json.loads(run("mnist", "--delete", "--json").splitlines()[-1])["sets"][0]["deleted"]
    assert len(deleted) == 5
    assert not folder.exists()
    assert "there is nothing to delete" in run("mnist", "--delete")


def test_places_can_be_named(run, files, tmp_path):
    other = tmp_path / "other"
    assert str(other / "mnist") in run("mnist(n_val=1)", "--from", files, "--data-dir", other)
    assert [path.name[:7] for path in (other / "mnist").iterdir()] == ["arrays-"]
    assert f"deleted {other}" in run("mnist", "--data-dir", other, "--delete")
    assert len(list(files.iterdir())) == 4
    with pytest.raises(DatasetError, match=f"mnist: not in {tmp_path}: "):
        run("mnist", "--from", tmp_path)


def test_a_set_that_is_damaged_is_told(run, files):
    next(files.iterdir()).write_bytes(b"other")
    with pytest.raises(FormatError):
        run("mnist")


def test_sets_are_listed(run, files):
    run("mnist")
    rows = {row["name"]: row for row in json.loads(run("--list", "--json").splitlines()[-1])["sets"]}
    assert {"mnist", "fashion_mnist", "svhn", "cifar10", "cifar100", "stl10", "usps"} <= rows.keys()
    assert "digits" not in rows
    assert not rows["usps"]["ready"]
    assert "handwritten digits, 28 x 28" in run("--list")


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        (["mnst"], UnknownName, "did you mean 'mnist'"),
        (["digits"], ParameterError, "digits is no set that is downloaded; there is: cifar10"),
        ([], ParameterError, "--list to see"),
        (["mnist", "--list"], ParameterError, "--list to see"),
        (["mnist(split='x')"], ParameterError, "no split 'x'"),
    ],
    ids=range(5),
)
def test_what_is_asked_for_is_checked(run, files, arguments, error, problem):
    with pytest.raises(error, match=problem):
        run(*arguments)


def test_sets_of_others_are_got_by_their_names(run, files, tmp_path):
    (tmp_path / "plugin.py").write_text(PLUGIN)
    registry = Registry(plugins=[str(tmp_path / "plugin.py")])
    assert "grey is ready" in run("grey", registry=registry)


PLUGIN = """
from leaven import Component, hookimpl
from leaven_plugins.datasets.mnist import Mnist


class Grey(Mnist):
    pass


@hookimpl
def leaven_datasets():
    yield Component("grey", Grey, "another name for it")
"""


def test_progress_on_a_terminal_and_elsewhere(capsys):
    screen = io.StringIO()
    with byte_progress(Console(file=screen, force_terminal=True, width=100)) as show:
        show("x.gz", 500, 1000)
        show("x.gz", 1000, 1000)
        show("y.gz", 10, None)
    assert "x.gz" in screen.getvalue()
    times = iter([0.0, 1.0, 6.0, 6.0, 7.0, 20.0, 20.0])
    with byte_progress(Console(file=io.StringIO()), lambda: next(times)) as show:
        for done in (1000, 2000, 3000):
            show("x.gz", done, 4000)
        show("x.gz", 5000, None)
    assert capsys.readouterr().err == "x.gz: 2.0 kB of 4.0 kB\nx.gz: 5.0 kB\n"
