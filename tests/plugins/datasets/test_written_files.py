"""What holds for everything that is written: all of it or nothing, whatever happens meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from leaven.errors import DatasetError, FormatError
from leaven.testing.tools import samples
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.parquet import ParquetDataset
from leaven_plugins.datasets.tar import TarDataset
from leaven_plugins.datasets.zip import ZipDataset

FORMATS = {"folder": FolderDataset, "x.zip": ZipDataset, "x.tar": TarDataset, "x.parquet": ParquetDataset}
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
