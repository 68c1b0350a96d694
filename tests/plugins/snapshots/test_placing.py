from __future__ import annotations

import os
import subprocess
import sys

import pytest

from leaven_plugins.snapshots import placing
from leaven_plugins.snapshots.placing import beside, file_in_place, put_in_place, remove_folder, sweep

NOW = 1_000_000.0


def left_by(pid, born, folder, what="tmp"):
    path = folder / f"epoch_0001.{what}-{placing._host()}-{pid}-{born}-0123abcd"
    path.mkdir()
    (path / "model.pt").write_text("")
    return path


def test_what_dead_processes_have_left_is_deleted_and_nothing_else(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    left_by(process.pid, "123", tmp_path)
    left_by(process.pid, "123", tmp_path, "gone")
    left_by(os.getpid(), "123", tmp_path, "gone")  # its number is another's now
    kept = [left_by(os.getpid(), placing._born(os.getpid()), tmp_path), beside(tmp_path / "epoch_0002", "tmp")]
    kept[1].mkdir()
    for name in ("epoch_0003.tmp-mine", "notes"):
        kept.append(tmp_path / name)
        kept[-1].mkdir()
    sweep(tmp_path, NOW)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_those_of_other_hosts_are_left_alone_for_a_day(tmp_path):
    for hours in (23, 25):
        path = tmp_path / f"epoch_00{hours}.tmp-ffffffff-1-1-0123abcd"
        path.mkdir()
        os.utime(path, (NOW, NOW - hours * 3600))
    sweep(tmp_path, NOW)
    assert [path.name[:10] for path in tmp_path.iterdir()] == ["epoch_0023"]


@pytest.mark.parametrize("at_once", [True, False])
def test_the_old_one_is_replaced(tmp_path, monkeypatch, at_once):
    if not at_once:
        monkeypatch.setattr(placing, "_exchange", lambda *_: False)
    for text in ("one", "two"):
        new = tmp_path / "new"
        new.mkdir()
        (new / "file").write_text(text)
        put_in_place(new, tmp_path / "place")
        assert (tmp_path / "place" / "file").read_text() == text
        assert os.listdir(tmp_path) == ["place"]


def test_of_a_link_only_the_link_is_removed_and_nothing_twice(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for _ in range(2):  # another process may have been faster
        remove_folder(tmp_path / "link")
    assert os.listdir(tmp_path) == ["real"]


def test_an_interrupt_between_two_renames_is_undone(tmp_path, monkeypatch):
    monkeypatch.setattr(placing, "_exchange", lambda *_: False)
    (tmp_path / "place").mkdir()
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "missing", tmp_path / "place")
    assert os.listdir(tmp_path) == ["place"]


def test_a_file_takes_its_place_once_it_is_whole(tmp_path):
    path = tmp_path / "file"
    for text in ("one", "two"):
        with file_in_place(path) as temporary:
            temporary.write_text(text)
        assert path.read_text() == text
    with pytest.raises(KeyError), file_in_place(path) as temporary:
        temporary.write_text("three")
        raise KeyError
    assert path.read_text() == "two"
    assert os.listdir(tmp_path) == ["file"]
