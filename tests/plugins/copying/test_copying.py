from __future__ import annotations

import json
import os
import shutil
import threading
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaven.cli.group import leaven
from leaven.errors import DatasetError, FormatError, LeavenError, ParameterError
from leaven_plugins.copying import archive, transfer
from leaven_plugins.copying.local import CopyResult, copy_to_local
from leaven_plugins.copying.zips import create_zips

MARKS = ["autocopy_end.txt", "autocopy_start.txt"]
COPIED = "raw", "zip", "zips"


def make(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def pack(path, files, method=zipfile.ZIP_STORED):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def content(folder):
    """Return the files below a folder, but for the marks."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name not in MARKS}


@pytest.fixture
def source(tmp_path):
    return tmp_path / "global" / "set"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "local" / "set"


@pytest.fixture(autouse=True)
def synced(monkeypatch, target):
    """When all that was written was asked to be on the disk: which marks were there. It may take long."""
    marks = []
    monkeypatch.setattr(os, "sync", lambda: marks.append([name for name in MARKS if (target / name).exists()]))
    return marks


FILES = {"cat/1.png": b"1" * 5000, "cat/2.png": b"", "dog/a/3.png": b"3", "notes.txt": b"read me"}


# ---- what is copied


@pytest.mark.parametrize("workers", [0, 3])
def test_a_folder(source, target, workers, synced):
    make(source, FILES)
    (source / "empty").mkdir()
    os.utime(source / "notes.txt", (1000, 1000))
    assert copy_to_local(source, target, workers=workers) == CopyResult(True, False, "raw")
    assert content(target) == FILES
    assert synced == [["autocopy_start.txt"]]
    assert (target / "empty").is_dir()
    assert (target / "notes.txt").stat().st_mtime == 1000
    assert sorted(path.name for path in target.parent.iterdir()) == ["set"]  # no lock is left


@pytest.mark.parametrize("workers", [0, 3])
def test_an_archive(source, target, workers):
    pack(source.with_name("set.zip"), FILES, zipfile.ZIP_DEFLATED)
    assert copy_to_local(source, target, workers=workers) == CopyResult(True, False, "zip")
    assert content(target) == FILES
    assert copy_to_local(source.with_name("set.zip"), target.with_name("other")).source_format == "zip"
    assert content(target.with_name("other")) == FILES


@pytest.mark.parametrize("workers", [0, 3])
def test_a_folder_of_archives(source, target, workers):
    pack(source / "train.zip", {"0001.png": b"1", "a/0002.png": b"2"})
    pack(source / "val.ZIP", {"0001.png": b"3"})
    make(source, {"notes.txt": b"read me", "more/x.txt": b"x"})
    assert copy_to_local(source, target, workers=workers) == CopyResult(True, False, "zips")
    unpacked = {"train/0001.png": b"1", "train/a/0002.png": b"2", "val/0001.png": b"3"}
    assert content(target) == unpacked | {"notes.txt": b"read me", "more/x.txt": b"x"}


def test_few_archives_among_many_files(source, target):
    pack(source / "one.zip", {"a": b"1"})
    make(source, {"a": b"", "b": b""})
    assert copy_to_local(source, target).source_format == "raw"
    assert sorted(content(target)) == ["a", "b", "one.zip"]


def test_what_has_links(source, target, tmp_path):
    make(source, {"a": b"1"})
    make(tmp_path / "elsewhere", {"b/c": b"2"})
    (source / "linked").symlink_to(tmp_path / "elsewhere")
    (source / "d").symlink_to(source / "a")
    copy_to_local(source, target)
    assert content(target) == {"a": b"1", "linked/b/c": b"2", "d": b"1"}
    assert not any(path.is_symlink() for path in target.rglob("*"))


def test_a_copy_is_copied_without_its_marks(source, target):
    make(source, FILES)
    copy_to_local(source, target)
    again = target.with_name("again")
    (target / "autocopy_end.txt").write_text("old")
    copy_to_local(target, again)
    assert content(again) == FILES
    assert (again / "autocopy_end.txt").read_text() == ""


# ---- when


def test_what_is_complete_stays(source, target):
    make(source, FILES)
    lines = []
    copy_to_local(source.parent, target.parent, "set", log=lines.append)
    assert [line.removeprefix(str(target)) for line in lines] == [
        f": 4 files of 5.01e-06 GB from {source}",
        ": complete",
    ]
    shutil.rmtree(source)
    assert copy_to_local(source, target) == CopyResult(False, False, None)
    assert content(target) == FILES


def test_what_was_broken_off_is_copied_again(source, target):
    make(source, FILES)
    make(target, {"autocopy_start.txt": b"", "cat/1.png": b"half", "gone/old.png": b""})
    assert copy_to_local(source, target) == CopyResult(True, True, "raw")
    assert content(target) == FILES


def test_what_was_made_by_hand_stays(source, target):
    make(source, FILES)
    make(target, {"mine.txt": b""})
    assert copy_to_local(source, target) == CopyResult(False, False, None)
    assert content(target) == {"mine.txt": b""}


def test_an_empty_folder_is_filled(source, target):
    make(source, FILES)
    target.mkdir(parents=True)
    assert copy_to_local(source, target) == CopyResult(True, False, "raw")


def test_a_failure_leaves_what_is_copied_again(source, target, monkeypatch):
    make(source, FILES)
    copied = transfer._copied

    def fail(origin, place, size):
        if origin.name == "3.png":
            raise OSError(5, "Input/output error", str(origin))
        copied(origin, place, size)

    monkeypatch.setattr(transfer, "_copied", fail)
    with pytest.raises(DatasetError, match=r"3\.png: cannot be copied: Input/output error"):
        copy_to_local(source, target)
    assert not (target / "autocopy_end.txt").exists()
    monkeypatch.undo()
    assert copy_to_local(source, target) == CopyResult(True, True, "raw")
    assert content(target) == FILES


def test_several_want_the_same_at_the_same_time(source, target):
    make(source, {f"{n}.bin": bytes(1000) for n in range(300)})
    results = []
    threads = [threading.Thread(target=lambda: results.append(copy_to_local(source, target))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.was_copied for result in results) == [False] * 4 + [True]
    assert len(content(target)) == 300
    assert [path.name for path in target.parent.iterdir()] == ["set"]


# ---- what is refused


def test_no_source(source, target):
    make(source.with_name("sets"), {"a": b""})
    with pytest.raises(DatasetError, match=r"set: no such folder, and no set\.zip beside it, did you mean 'sets'\?"):
        copy_to_local(source, target)
    with pytest.raises(DatasetError, match="and no folder"):
        copy_to_local(source / "deep" / "er", target)
    assert not target.exists()


def test_a_file_is_no_source(source, target):
    make(source, {"a.msgpack": b""})
    with pytest.raises(DatasetError, match=r"a\.msgpack: is a file; folders are copied"):
        copy_to_local(source / "a.msgpack", target)


def test_a_file_is_no_destination(source, target):
    make(source, FILES)
    make(target.parent, {"set": b""})
    with pytest.raises(DatasetError, match="set: cannot be a folder"):
        copy_to_local(source, target)


@pytest.mark.parametrize("relative", ["..", "a/../..", "/etc"])
def test_a_path_that_leads_out(source, target, relative):
    with pytest.raises(ParameterError, match="relative="):
        copy_to_local(source, target, relative)


@pytest.mark.parametrize("place", ["", "below", ".."])
def test_source_and_destination_within_each_other(source, place):
    make(source, FILES)
    make(source.parent, {"autocopy_start.txt": b""})
    with pytest.raises(ParameterError, match="one of both lies within the other"):
        copy_to_local(source, source / place)
    assert content(source) == FILES


@pytest.mark.parametrize("workers", [-1, 1.5, True, "2"])
def test_workers_that_are_none(source, target, workers):
    with pytest.raises(ParameterError, match="workers="):
        copy_to_local(source, target, workers=workers)


def test_what_is_no_file(source, target):
    make(source, FILES)
    os.mkfifo(source / "pipe")
    with pytest.raises(DatasetError, match="pipe: is neither a file nor a folder"):
        copy_to_local(source, target)


def test_links_in_a_circle(source, target):
    make(source, FILES)
    (source / "cat" / "up").symlink_to(source)
    with pytest.raises(DatasetError, match="up: is a link to a folder that it lies in"):
        copy_to_local(source, target)
    (source / "cat" / "up").unlink()
    (source / "gone").symlink_to(source / "nowhere")
    with pytest.raises(DatasetError, match="gone: cannot be copied: No such file"):
        copy_to_local(source, target)


def test_not_enough_room(source, target, monkeypatch):
    make(source, FILES)
    usage = type("Usage", (), {"free": 64 << 20})
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DatasetError, match=r"5\.01e-06 GB are to be copied, and 0\.0671 GB are free"):
        copy_to_local(source, target)
    assert content(target) == {}


def test_a_file_that_grows_meanwhile(source, target, monkeypatch):
    make(source, FILES)
    monkeypatch.setattr(transfer.shutil, "copy2", lambda origin, place: Path(place).write_bytes(b"longer"))
    with pytest.raises(DatasetError, match=r"1\.png: has changed while it was copied: 5000 bytes before, 6 now"):
        copy_to_local(source, target)


@pytest.mark.parametrize("other", ["train/x", "train"])
def test_names_that_are_taken(source, target, other):
    pack(source / "train.zip", {"a": b""})
    pack(source / "val.zip", {"a": b""})
    make(source, {other: b""})
    with pytest.raises(DatasetError, match=r"what train\.zip is unpacked to has the name of something else"):
        copy_to_local(source, target)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../out.txt", "leads out of it"),
        ("a/../../out.txt", "leads out of it"),
        ("/etc/out.txt", "leads out of it"),
        ("C:\\out.txt", "leads out of it"),
        ("..\\out.txt", "leads out of it"),
    ],
)
def test_members_that_lead_out(source, target, name, text):
    pack(source.with_name("set.zip"), {"good.txt": b"1", name: b"2"})
    with pytest.raises(FormatError, match=text):
        copy_to_local(source, target)
    assert content(target) == {}
    assert not list(target.parent.parent.rglob("*out.txt"))


def test_members_that_are_links(source, target):
    source.parent.mkdir(parents=True)
    with zipfile.ZipFile(source.with_name("set.zip"), "w") as archive:
        member = zipfile.ZipInfo("link")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc")
    with pytest.raises(FormatError, match="'link' is a link, or no file"):
        copy_to_local(source, target)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_come_twice(source, target):
    source.parent.mkdir(parents=True)
    with zipfile.ZipFile(source.with_name("set.zip"), "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("./a", "2")
    with pytest.raises(FormatError, match="has 'a' twice"):
        copy_to_local(source, target)


def test_a_bomb(source, target, monkeypatch):
    monkeypatch.setattr(archive, "_FREE", 1 << 20)
    pack(source.with_name("set.zip"), {str(n): bytes(1 << 19) for n in range(2)}, zipfile.ZIP_DEFLATED)
    assert copy_to_local(source, target.with_name("small")).was_copied
    pack(source.with_name("set.zip"), {str(n): bytes(1 << 19) for n in range(5)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match="bytes that unpack to 2621440: more than 200 times that"):
        copy_to_local(source, target)
    assert content(target) == {}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_archives(source, target, data):
    packed = source.with_name("set.zip")
    pack(packed, {"a/b.txt": b"some text " * 9, "c.txt": b"x"}, data.draw(st.sampled_from([0, 8])))
    damaged = bytearray(packed.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    packed.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    shutil.rmtree(target, ignore_errors=True)
    try:
        copy_to_local(source, target)
    except LeavenError:
        assert not (target / "autocopy_end.txt").exists()
    assert sorted(path.name for path in target.parent.parent.iterdir() if path.name != "reads") == ["global", "local"]


# ---- making archives


def test_classes_there_and_back(source, target, tmp_path):
    files = {"cat/1.png": b"1" * 500, "dog/2.png": b"2", "dog/deep/3.png": b"3"}
    make(source, files)
    zips = create_zips(source, tmp_path / "zips" / "set")
    assert [path.name for path in zips] == ["cat.zip", "dog.zip"]
    assert copy_to_local(tmp_path / "zips" / "set", target).source_format == "zips"
    assert content(target) == files


def test_batches_there_and_back(source, target, tmp_path):
    files = {f"{n:03}.png": bytes([n]) for n in range(25)}
    make(source, files)
    zips = create_zips(source, tmp_path / "set", batch_size=10)
    assert [path.name for path in zips] == ["batch_00.zip", "batch_01.zip", "batch_02.zip"]
    copy_to_local(tmp_path / "set", target, workers=2)
    assert content(target) == files


def test_what_cannot_be_packed(source, tmp_path):
    make(source, {"cat/1.png": b""})
    with pytest.raises(DatasetError, match="cat: is a folder; folders of classes are packed without batch_size"):
        create_zips(source, tmp_path / "zips", batch_size=10)
    create_zips(source, tmp_path / "zips")
    with pytest.raises(DatasetError, match=r"cat\.zip: exists already"):
        create_zips(source, tmp_path / "zips")
    make(source, {"2.png": b""})
    with pytest.raises(DatasetError, match=r"2\.png: is a file; a folder of files alone is packed with batch_size"):
        create_zips(source, tmp_path / "more")
    with pytest.raises(DatasetError, match="cannot be packed"):
        create_zips(source / "nothing", tmp_path / "more")
    with pytest.raises(ParameterError, match="batch_size=0"):
        create_zips(source, tmp_path / "more", batch_size=0)


# ---- the command


def run(*words):
    from leaven.registry.registry import Registry

    return CliRunner().invoke(leaven, ["data", "copy", *map(str, words)], obj=Registry())


def test_command(source, target):
    make(source, FILES)
    done = run(source, target, "--workers", 2)
    assert done.exit_code == 0, done.output
    assert "4 files" in done.output
    assert content(target) == FILES
    report = json.loads(run(source, target, "--json").stdout.splitlines()[-1])
    assert report.pop("seconds") >= 0
    assert report == {"path": str(target), "was_copied": False, "was_deleted": False, "source_format": None}


@pytest.mark.parametrize("mark", MARKS)
def test_marks_in_an_archive_are_not_taken_for_its_own(source, target, mark):
    pack(source.with_name("set.zip"), {f"./{mark}": b"2", f".//{mark}": b"3", "a": b"1"})
    copy_to_local(source, target)
    assert content(target) == {"a": b"1"}
    assert (target / mark).read_bytes() == b""


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["{}/", "{}/a", "./{}/a"])
def test_folders_with_the_names_of_marks(source, target, mark, name):
    pack(source.with_name("set.zip"), {name.format(mark): b""})
    with pytest.raises(FormatError, match="has the name of a mark of copies"):
        copy_to_local(source, target)
    make(source, {f"{mark}/a": b""})
    with pytest.raises(DatasetError, match=f"{mark}: is a folder with the name of a mark of copies"):
        copy_to_local(source, target)


@pytest.mark.parametrize("path", ["\0", "~nobody.at.all/x", "\ud800"], ids=range(3))
def test_what_is_no_path(source, target, path):
    make(source, FILES)
    for arguments in ((path, target), (source, path)):
        with pytest.raises(ParameterError, match="is no path"):
            copy_to_local(*arguments)


def test_what_links_lead_to_is_packed_and_nothing_else_than_files(source, target, tmp_path):
    make(tmp_path / "elsewhere", {"b/c": b"2"})
    make(source, {"cat/1": b"1"})
    (source / "cat" / "more").symlink_to(tmp_path / "elsewhere")
    create_zips(source, tmp_path / "packed")
    copy_to_local(tmp_path / "packed", target)
    assert content(target) == {"cat/1": b"1", "cat/more/b/c": b"2"}
    os.mkfifo(source / "cat" / "pipe")
    for arguments in ((source, tmp_path / "again"), (source / "cat", tmp_path / "again", 2)):
        with pytest.raises(DatasetError, match="pipe: is neither a file nor a folder"):
            create_zips(*arguments)
    assert not (tmp_path / "again").exists()
