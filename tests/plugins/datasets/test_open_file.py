"""Files that are read by parts: by pread, which bears that they are cut off, or mapped, which is quicker."""

from __future__ import annotations

import os
import random
import threading

import pytest

from leaven.errors import DatasetError, FormatError
from leaven.testing import tools
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.datasets.msgpack import offsets as offsets_module
from leaven_plugins.datasets.open_file import MappedFile, OpenFile, Sequential

CONTENT = bytes(range(256)) * 40


@pytest.fixture(params=[OpenFile, MappedFile])
def file(request, tmp_path):
    (tmp_path / "x").write_bytes(CONTENT)
    file = request.param(tmp_path / "x")
    yield file
    file.close()


def test_any_part_is_read_and_none_beyond_the_end(file):
    assert (file.size, file.read(10, 300), file.read(0, file.size)) == (len(CONTENT), CONTENT[300:310], b"")
    assert bytes(file.content()[:]) == CONTENT
    for nbytes, offset in ((1, len(CONTENT)), (len(CONTENT) + 1, 0)):
        with pytest.raises(
            FormatError, match=f"x: {nbytes} bytes at {offset} asked for, but it ends at {len(CONTENT)}"
        ):
            file.read(nbytes, offset)


def test_it_can_be_read_from_start_to_end(file):
    stream = Sequential(file)
    assert (stream.read(3), stream.read(10**6), stream.read(5)) == (CONTENT[:3], CONTENT[3:], b"")


def test_a_closed_file_is_told(file):
    file.close()
    file.close()
    with pytest.raises(DatasetError, match="x: "):
        file.read(1, 0)


@pytest.mark.parametrize("kind", [OpenFile, MappedFile])
def test_empty_files_and_none(kind, tmp_path):
    (tmp_path / "empty").touch()
    file = kind(tmp_path / "empty")
    assert (file.size, file.content(), file.read(0, 0)) == (0, b"", b"")
    file.close()
    with pytest.raises(DatasetError, match="no such file, did you mean 'empty'"):
        kind(tmp_path / "emty")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError, match="is not a file"):
        kind(tmp_path / "pipe")


def test_reads_in_parts_are_put_together(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(CONTENT)
    file, real = OpenFile(tmp_path / "x"), os.pread
    monkeypatch.setattr(os, "pread", lambda fd, nbytes, offset: real(fd, min(nbytes, 7), offset))
    assert file.read(100, 5) == CONTENT[5:105]
    file.close()


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("loaded", [1 << 24, 0])
def test_samples_are_the_same_however_they_are_read(tmp_path, monkeypatch, mapped, loaded):
    monkeypatch.setattr(offsets_module, "_LOADED", loaded)
    lengths = [random.Random(n).randrange(500) for n in range(300)]
    MsgpackDataset.write(tmp_path / "x.msgpack", ({"key": str(n), "x": bytes(size)} for n, size in enumerate(lengths)))
    content = (tmp_path / "x.msgpack").read_bytes()
    dataset = MsgpackDataset(tmp_path / "x.msgpack", mapped=mapped)
    wrong = []

    def read(seed):
        for index in random.Random(seed).choices(range(300), k=500):
            message = dataset.sample(index)
            wrong.extend([index] * (content[dataset.offset(index) :][: len(message)] != message))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert b"".join(dataset.sample(n) for n in range(300)) == content
    assert dataset.sample(-1) == dataset.sample(299)
    dataset.close()


@pytest.mark.parametrize("mapped", [False, True])
def test_offsets_that_are_out_of_order_are_told(tmp_path, mapped):
    MsgpackDataset.write(tmp_path / "x.msgpack", ({"key": str(n)} for n in range(9)))
    with open(tmp_path / "x.msgpack.offsets", "r+b") as file:
        file.seek(8 * 4)
        file.write(b"\xff" * 8)
    dataset = MsgpackDataset(tmp_path / "x.msgpack", mapped=mapped)
    with pytest.raises(FormatError, match="sample 4, at byte 32: offsets"):
        dataset.sample(4)
    assert dataset.sample(5 + 1)
    dataset.close()


def test_a_mapping_is_given_back(tmp_path):
    MsgpackDataset.write(tmp_path / "x.msgpack", [{"key": "a", "image": bytes(10)}])
    dataset = MsgpackDataset(tmp_path / "x.msgpack", mapped=True)
    dataset.sample(0)
    assert str(tmp_path) in maps()
    dataset.close()
    assert str(tmp_path) not in maps()
    assert dataset.sample(0)
    dataset.close()


def maps():
    with open("/proc/self/maps") as file:
        return file.read()


def test_a_mapped_file_that_is_cut_off_kills_workers_and_not_the_loader(tmp_path):
    from leaven import TurboDataLoader
    from leaven.errors import SampleErrors

    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, tools.samples(2000, 8, 8))
    worker = {"use": "classification", "image": ((3, 8, 8), "uint8")}
    source = {"use": "msgpack", "path": str(path), "mapped": True}
    with TurboDataLoader(source, 50, worker, nworkers=1) as loader:
        batches = iter(loader)
        next(batches)
        os.truncate(path, 1000)
        with pytest.raises(SampleErrors, match="cut off or changed"):
            list(batches)
