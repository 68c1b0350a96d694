"""What ``leaven data`` does where something comes in between: other data, other fields, a full disk, links."""

from __future__ import annotations

import errno
import importlib.machinery
import json
import os
import sys
import types

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.errors import DatasetError, MissingPackageError
from leaven.stream.wire import pack_sample, unpack_sample
from leaven_plugins.commands.data.group import data
from leaven_plugins.commands.data.journal import Journal
from leaven_plugins.commands.data.optimizing import journal_of
from leaven_plugins.commands.data.photo_files import only_one_at_work, replace_content
from leaven_plugins.datasets import replacing
from leaven_plugins.datasets.jpeg_index import folder_sidecar, packed_sidecar
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.datasets.replacing import PART, Replacement
from leaven_plugins.repacking.restarts import restart_interval


class JpegError(ValueError):
    status = "damaged"


class StandIn(types.ModuleType):
    """In place of the native library: says that there are restart markers, as far as a header can."""

    JpegError = JpegError

    def __init__(self):
        super().__init__("leaven_turbo._native")
        self.calls = 0
        self.meanwhile = lambda: None

    def info(self, data):
        return 8, 8, 3, 1, True, 0, False

    def repack(self, data, interval, exif, icc, others):
        self.calls += 1
        self.meanwhile()
        return data[:2] + b"\xff\xdd\0\x04\0\1" + data[2:]

    def same_coefficients(self, one, other):
        return True

    def make_index(self, data, interval):
        self.calls += 1
        self.meanwhile()
        return b"LTX of %d" % len(data)

    def check_index(self, index, data):
        if index != b"LTX of %d" % len(data):
            raise JpegError


@pytest.fixture
def native(monkeypatch):
    module = StandIn()
    package = types.ModuleType("leaven_turbo")
    package.__spec__ = importlib.machinery.ModuleSpec("leaven_turbo", None)  # by which one sees that it is installed
    monkeypatch.setitem(sys.modules, "leaven_turbo", package)
    monkeypatch.setitem(sys.modules, "leaven_turbo._native", module)
    return module


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def run(registry):
    def run(*arguments):
        result = CliRunner().invoke(
            data, [str(argument) for argument in arguments], obj=registry, standalone_mode=False
        )
        if result.exception is not None:
            raise result.exception
        return result

    return run


def report_of(result):
    return json.loads(result.stdout.splitlines()[-1])


def picture(seed):
    image = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def samples(path):
    dataset = MsgpackDataset(path, sidecar=False)
    return [unpack_sample(dataset.sample(n)) for n in range(len(dataset))]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, ({"key": str(n), "image": picture(n)} for n in range(8)))
    return path


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    for n in range(8):
        (root / f"{n}.jpg").write_bytes(picture(n))
    return root


def replace(path):
    MsgpackDataset.write(path, [{"key": "new", "image": picture(99)}], overwrite=True)


def once(action):
    """Return what does something the first time that it is called."""
    actions = iter([action])
    return lambda: next(actions, lambda: None)()


def failing(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


# ---- data that change meanwhile


def test_a_dataset_that_was_replaced_meanwhile_is_left(run, packed, native):
    native.meanwhile = once(lambda: replace(packed))
    with pytest.raises(
        DatasetError, match=r"x\.msgpack: has changed while .*; \S+x\.msgpack\.optimizing \(\S+ kB\) stays"
    ):
        run("optimize", packed)
    assert [sample["key"] for sample in samples(packed)] == ["new"]
    assert journal_of(packed).exists()
    assert report_of(run("optimize", packed, "--json"))["repacked"] == 1
    assert [sample["key"] for sample in samples(packed)] == ["new"]
    assert not journal_of(packed).exists()


def test_a_dataset_that_is_replaced_while_its_own_is_written_is_left(run, packed, native, monkeypatch):
    write = MsgpackDataset.write

    def slowly(path, content, overwrite):
        def while_written():
            for sample in content:
                meanwhile()
                yield sample

        meanwhile = once(lambda: write(path, [{"key": "new"}], overwrite=True))
        return write(path, while_written(), overwrite=overwrite)

    monkeypatch.setattr(MsgpackDataset, "write", slowly)
    with pytest.raises(DatasetError, match="has changed while this was at work"):
        run("optimize", packed)
    assert samples(packed) == [{"key": "new"}]
    assert not [name for name in names(packed.parent) if name.startswith(".")]


def test_a_dataset_that_is_gone_meanwhile_does_not_come_back(run, packed, native):
    native.meanwhile = once(packed.unlink)
    with pytest.raises(DatasetError, match="has changed while this was at work"):
        run("optimize", packed)
    assert not packed.exists()


def test_another_file_that_is_there_meanwhile_is_left(run, packed, tmp_path, native):
    out = tmp_path / "y.msgpack"
    native.meanwhile = once(lambda: MsgpackDataset.write(out, [{"key": "another's"}]))
    with pytest.raises(DatasetError, match=r"y\.msgpack: exists by now"):
        run("optimize", packed, "--out", out)
    assert samples(out) == [{"key": "another's"}]


def test_an_index_of_data_that_changed_meanwhile_is_not_written(run, packed, native):
    run("index", packed)
    former = packed_sidecar(packed).read_bytes()

    def touch():
        os.utime(packed, ns=(1, 1))

    native.meanwhile = once(touch)
    with pytest.raises(DatasetError, match=r"x\.msgpack: has changed meanwhile"):
        run("index", packed)
    assert packed_sidecar(packed).read_bytes() == former


# ---- a field image_index that is none of ours


OTHERS = [7, "text", None, b"other bytes"]
REASON = "has a field image_index of its own"


@pytest.fixture
def others(tmp_path):
    path = tmp_path / "others.msgpack"
    content = [{"key": str(n), "image": picture(n), "image_index": other} for n, other in enumerate(OTHERS)]
    MsgpackDataset.write(path, [*content, {"key": "without", "image": picture(9)}])
    return path


def test_packing_leaves_other_fields_of_that_name(run, others, tmp_path, native):
    report = report_of(run("pack", others, tmp_path / "y.msgpack", "--json"))
    assert (report["repacked"], report["left"]) == (1, {REASON: 4})
    assert samples(tmp_path / "y.msgpack")[:4] == samples(others)[:4]
    run("pack", others, tmp_path / "small.msgpack", "--resize", "24", "--jpeg-restart", "0")
    assert [sample["image_index"] for sample in samples(tmp_path / "small.msgpack")[:4]] == OTHERS


def test_optimizing_leaves_other_fields_of_that_name(run, others, native):
    before = samples(others)
    report = report_of(run("optimize", others, "--json"))
    assert (report["repacked"], report["left"]) == (1, {REASON: 4})
    assert [pack_sample(sample) for sample in samples(others)[:4]] == [pack_sample(sample) for sample in before[:4]]
    native.check_index(samples(others)[4]["image_index"], samples(others)[4]["image"])


def test_indexing_leaves_other_fields_of_that_name(run, others, native):
    report = report_of(run("index", others, "--json"))
    assert (report["indexed"], report["already"], report["left"]) == (1, 0, {REASON: 4})
    found = [unpack_sample(MsgpackDataset(others).sample(n)) for n in range(5)]
    assert [sample["image_index"] for sample in found[:4]] == OTHERS
    native.check_index(found[4]["image_index"], found[4]["image"])
    assert report_of(run("info", others, "--json"))["indexed"] == 1


# ---- sidecars


def test_an_interrupted_index_leaves_the_former_one(run, packed, native):
    run("index", packed)
    former = packed_sidecar(packed).read_bytes()

    def stop():
        raise KeyboardInterrupt

    native.meanwhile = stop
    with pytest.raises(click.Abort):
        run("index", packed, "--jobs", "1")
    assert packed_sidecar(packed).read_bytes() == former
    assert not [name for name in names(packed.parent) if name.startswith(".")]


@pytest.mark.parametrize("name", ["open", "replace", "fsync"])
def test_an_index_that_cannot_be_written_leaves_the_former_one(run, packed, native, monkeypatch, name):
    run("index", packed)
    former = packed_sidecar(packed).read_bytes()
    shadow = types.SimpleNamespace(**{**vars(os), name: failing(errno.EROFS)})
    monkeypatch.setattr(replacing, "os", shadow)
    with pytest.raises(DatasetError, match=r"x\.msgpack\.turbo: cannot be written: Read-only file system"):
        run("index", packed)
    assert packed_sidecar(packed).read_bytes() == former
    assert not [name for name in names(packed.parent) if name.startswith(".")]


def test_a_folder_where_the_index_would_be_is_said(run, packed, photos, native):
    for sidecar, source in ((packed_sidecar(packed), packed), (folder_sidecar(photos), photos)):
        sidecar.mkdir()
        with pytest.raises(DatasetError, match=r"cannot be written: Is a directory"):
            run("index", source)
        assert sidecar.is_dir()
        sidecar.rmdir()
    assert not [name for name in names(photos) if name.startswith(".")]


# ---- disks


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_ends_the_work_over_a_folder(run, photos, native, monkeypatch, number):
    former = {path: path.read_bytes() for path in photos.iterdir()}
    monkeypatch.setattr(Replacement, "sync", failing(number))
    with pytest.raises(DatasetError, match=rf"0\.jpg: cannot be replaced: {os.strerror(number)}; files that are done"):
        run("optimize", photos, "--jobs", "1")
    assert native.calls < 5
    assert {path: path.read_bytes() for path in photos.iterdir()} == former


def test_files_that_cannot_be_replaced_make_it_fail(run, photos, native, monkeypatch):
    assert run("optimize", photos).return_value == 0
    for path in photos.iterdir():
        path.write_bytes(picture(1))
    monkeypatch.setattr(Replacement, "place", failing(errno.EACCES))
    result = run("optimize", photos, "--json")
    assert result.return_value == 1
    assert report_of(result)["left"] == {"permission denied": 8}


def test_files_that_cannot_be_read_make_indexing_fail(run, photos, native, monkeypatch):
    assert run("index", photos).return_value == 0
    monkeypatch.setattr("pathlib.Path.read_bytes", failing(errno.EIO))
    result = run("index", photos, "--json")
    assert (result.return_value, report_of(result)["left"]) == (1, {"input/output error": 8})


def test_a_file_that_another_process_replaces_is_left(photos):
    path, content = photos / "3.jpg", (photos / "3.jpg").read_bytes()
    with Replacement(path):
        with pytest.raises(BlockingIOError, match="is being written by another process"):
            replace_content(path, b"new", path.stat())
        assert len(names(photos)) == 9
    assert path.read_bytes() == content
    assert replace_content(path, b"new", path.stat())
    assert (path.read_bytes(), len(names(photos))) == (b"new", 8)


def test_a_full_disk_is_said_with_the_journal_that_is_on_it(run, packed, native, monkeypatch):
    content = packed.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("leaven_plugins.datasets.staging._sync", failing(errno.ENOSPC))
        with pytest.raises(
            DatasetError,
            match=r"x\.msgpack: cannot be written: No space left .*; \S+x\.msgpack\.optimizing \(\S+ kB\) stays for",
        ):
            run("optimize", packed)
    assert packed.read_bytes() == content
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_append", failing(errno.ENOSPC))
        with pytest.raises(DatasetError, match=r"x\.msgpack\.optimizing: cannot be .*: No space left"):
            run("optimize", packed, "--jpeg-restart", "1")
    native.calls = 0
    run("optimize", packed)
    assert len(samples(packed)) == 8
    assert packed.read_bytes() != content


# ---- links and names


def test_the_dataset_that_a_link_leads_to_is_replaced(run, packed, tmp_path, native):
    (tmp_path / "links").mkdir()
    for path in tmp_path.glob("x.msgpack*"):
        (tmp_path / "links" / path.name).symlink_to(path)
    link = tmp_path / "links" / packed.name
    assert report_of(run("optimize", link, "--json"))["path"] == str(link)
    assert all(path.is_symlink() for path in link.parent.iterdir())
    assert names(link.parent) == [path.name for path in sorted(tmp_path.glob("x.msgpack*"))]
    assert restart_interval(samples(packed)[0]["image"]) == 1
    assert samples(link) == samples(packed)


def test_a_killed_run_through_a_link_is_taken_up_again(run, packed, tmp_path, native):
    link = tmp_path / "link.msgpack"
    link.symlink_to("x.msgpack")

    def killed(path, content, overwrite):
        assert path == packed
        path.unlink()
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MsgpackDataset, "write", killed)
        with pytest.raises(click.Abort):
            run("optimize", link)
    assert not packed.exists()
    assert report_of(run("optimize", link, "--json"))["repacked"] == 8
    assert link.is_symlink()
    assert len(samples(packed)) == 8


def test_a_dataset_that_came_back_is_left(run, packed, native, monkeypatch):
    def killed(path, content, overwrite):
        path.unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MsgpackDataset, "write", killed)
        with pytest.raises(click.Abort):
            run("optimize", packed)
    sync = Journal.sync

    def came_back(self):
        sync(self)
        replace(packed)

    monkeypatch.setattr(Journal, "sync", came_back)
    with pytest.raises(DatasetError, match="is there again, and is left as it is now"):
        run("optimize", packed)
    assert [sample["key"] for sample in samples(packed)] == ["new"]


def test_names_that_cannot_be_written_are_said(run, packed, tmp_path, native):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"y\.msgpack: cannot be written: .*file"):
        run("optimize", packed, "--out", tmp_path / "file" / "y.msgpack")
    with pytest.raises(DatasetError, match=r"y\.bin: no format for the suffix '\.bin'"):
        run("optimize", packed, "--out", tmp_path / "y.bin")
    assert native.calls == 0


def test_a_folder_that_cannot_be_read_or_swept_is_said(photos, tmp_path, monkeypatch):
    with (
        pytest.raises(DatasetError, match=r"nowhere: cannot be read: No such file"),
        only_one_at_work(tmp_path / "nowhere"),
    ):
        pass
    (photos / f".1.jpg{PART}").write_bytes(b"half a file")
    (photos / f".leaven-turbo.index{PART}").write_bytes(b"half an index, which another command may be writing")
    with only_one_at_work(photos):
        assert [name for name in names(photos) if name.startswith(".")] == [f".leaven-turbo.index{PART}"]
    (photos / f".1.JPG{PART}").mkdir()  # cannot be unlinked
    (photos / f".2.jpg{PART}").write_bytes(b"half a file")
    monkeypatch.setattr("pathlib.Path.unlink", failing(errno.EROFS))
    with pytest.raises(DatasetError, match=r"cannot be deleted: Read-only"), only_one_at_work(photos):
        pass


# ---- a library that is there, but cannot be loaded


@pytest.fixture
def broken(monkeypatch):
    package = types.ModuleType("leaven_turbo")
    package.__spec__ = importlib.machinery.ModuleSpec("leaven_turbo", None)
    monkeypatch.setitem(sys.modules, "leaven_turbo", package)
    monkeypatch.setitem(sys.modules, "leaven_turbo._native", None)


@pytest.mark.usefixtures("broken")
def test_a_library_that_cannot_be_loaded_is_told_of(run, packed, tmp_path):
    result = run("pack", packed, tmp_path / "y.msgpack")
    assert result.stderr.startswith("JPEGs are packed as they are: ")
    assert result.stderr.count("\n") == 1
    assert "leaven-turbo, which is installed, but its library cannot be loaded" in result.stderr
    assert samples(tmp_path / "y.msgpack") == samples(packed)
    for command in (["optimize", packed], ["pack", packed, tmp_path / "z.msgpack", "--jpeg-restart", "4"]):
        with pytest.raises(MissingPackageError, match="which is installed, but its library cannot be loaded"):
            run(*command)


def test_a_library_that_is_absent_is_not(run, packed, tmp_path, monkeypatch):
    for name in ("leaven_turbo", "leaven_turbo._native"):
        monkeypatch.setitem(sys.modules, name, None)
    assert run("pack", packed, tmp_path / "y.msgpack").stderr == ""
