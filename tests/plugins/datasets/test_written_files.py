"""What holds for everything that is written: all of it or nothing, whatever happens meanwhile."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from leaven.errors import DatasetError, FormatError, ParameterError
from leaven.testing.tools import samples
from leaven_plugins.datasets.csv import CsvDataset
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.hdf5 import Hdf5Dataset
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.datasets.npz import NpzDataset
from leaven_plugins.datasets.parquet import ParquetDataset
from leaven_plugins.datasets.tar import TarDataset
from leaven_plugins.datasets.zip import ZipDataset

FORMATS = {"folder": FolderDataset, "x.zip": ZipDataset, "x.tar": TarDataset, "x.parquet": ParquetDataset}
EVERY = FORMATS | {"x.msgpack": MsgpackDataset, "x.csv": CsvDataset, "x.hdf5": Hdf5Dataset, "x.npz": NpzDataset}
LIKE_TAR = ("x.zip", "x.parquet")

WRITER = """
import sys, time
from leaven.testing.tools import samples
from tests.plugins.datasets.test_written_files import FORMATS

def slowly():
    yield from samples(3)
    print("writing", flush=True)
    time.sleep(60)

FORMATS[sys.argv[1]].write(sys.argv[2], slowly(), overwrite=True)
"""


def content(path):
    dataset = FORMATS[path.name](path)
    try:
        return [dataset.sample(n)["image"] for n in range(len(dataset))]
    finally:
        dataset.close()


@pytest.mark.parametrize(
    "name", ["folder", "x.tar", *(pytest.param(name, marks=pytest.mark.slow) for name in LIKE_TAR)]
)
def test_a_writer_that_is_killed_leaves_what_was_there(tmp_path, name, request):
    path = tmp_path / name
    FORMATS[name].write(path, samples(2))
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, name, path], stdout=subprocess.PIPE, cwd=request.config.rootpath
    )
    with writer:
        assert writer.stdout.readline() == b"writing\n"
        writer.send_signal(signal.SIGKILL)
    expected = [sample["image"] for sample in samples(2)]
    assert content(path) == expected
    FORMATS[name].write(path, samples(4), overwrite=True)
    assert len(content(path)) == 4
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [name] + [f"{name}.index.json"] * (name == "x.tar")


@pytest.mark.parametrize("name", FORMATS)
def test_where_nothing_can_be_written_it_says_so(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match=rf"file/{name}: cannot be written: "):
        FORMATS[name].write(tmp_path / "file" / name, samples(1))


@pytest.mark.parametrize("name", FORMATS)
def test_keys_are_texts(tmp_path, name):
    for key, expected in ((7, "'key' is int 7 instead of a string"), ("\ud800", "is no text that UTF-8 has")):
        with pytest.raises(FormatError, match=f"{name}: sample 1: .*{expected}"):
            FORMATS[name].write(tmp_path / name, [samples(1)[0], {**samples(1)[0], "key": key}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_folders_on_the_way_are_made(tmp_path, name):
    path = tmp_path / "a" / "b" / name
    assert FORMATS[name].write(path, samples(1)) == 1
    assert len(content(path)) == 1


def labelled(**fields):
    return [{"key": "a", "image": samples(1)[0]["image"], "label": 3, "_label": "x", **fields}]


@pytest.mark.parametrize("name", ["folder", "x.zip"])
@pytest.mark.parametrize(
    ("key", "label"), [("a\\..\\b", "x"), ("C:a", "C:"), ("a", "\\root"), ("a:b", "D:\\e"), ("..", ".."), ("", "")]
)
def test_names_that_mean_something_on_other_systems_are_read_again(tmp_path, name, key, label):
    FORMATS[name].write(tmp_path / name, labelled(key=key, _label=label))
    with closing(FORMATS[name](tmp_path / name)) as dataset:
        assert (dataset.sample(0)["label"], dataset.sample(0)["_label"]) == (3, label)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "sample", [("a", 1), None, "text", bytearray(b"\x80")], ids=["tuple", "none", "text", "bytearray"]
)
def test_samples_are_mappings_or_packed(tmp_path, name, sample):
    with pytest.raises(FormatError, match=rf"sample 1: .*is {type(sample).__name__} .*instead of a mapping"):
        EVERY[name].write(tmp_path / name, [*labelled(), sample])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "."], ids=["nul", "long", "folder"])
def test_paths_that_nothing_can_have(tmp_path, monkeypatch, name, path):
    monkeypatch.chdir(tmp_path)
    Path("something").touch()
    with pytest.raises(DatasetError, match=r"cannot be written: |is a folder|is no image"):
        EVERY[name].write(path, labelled(), overwrite=True)
    with pytest.raises((DatasetError, FormatError)):
        len(EVERY[name](path))
    assert os.listdir() == ["something"]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("path", [None, "", 7])
def test_paths_that_are_none(name, path):
    for use in (EVERY[name], lambda path: EVERY[name].write(path, [])):
        with pytest.raises(ParameterError, match="path must be that of a file or folder, not "):
            use(path)


@pytest.mark.parametrize("limit", [5_000, 50_000])
@pytest.mark.parametrize("name", ["x.msgpack", "x.csv", "x.zip", "x.tar", "x.parquet"])
def test_a_full_disk_leaves_what_was_there(tmp_path, name, limit):
    """In a child process, whose files may grow to a limit only."""
    path = tmp_path / name
    EVERY[name].write(path, labelled())
    before = sorted(tmp_path.rglob("*"))
    extra = {"title": "x" * 999} if name == "x.csv" else {}
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            EVERY[name].write(path, (labelled(key=str(n), **extra)[0] for n in range(90)), overwrite=True)
        except DatasetError as error:
            os._exit("x." in str(error) and "cannot be written: " in str(error) and "too large" in str(error).lower())
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert sorted(tmp_path.rglob("*")) == before
    with closing(EVERY[name](path)) as dataset:
        assert len(dataset) == 1
