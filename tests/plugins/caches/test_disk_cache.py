from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaven import create
from leaven.errors import DatasetError, ParameterError

CHILD = """
import sys
from leaven_plugins.caches.disk.cache import DiskCache

cache = DiskCache(sys.argv[1], budget=int(sys.argv[2]))
for n in range(200):
    content = bytes([n]) * 1000
    if cache.put(f"key{n}", content):
        assert cache.get(f"key{n}") == content
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def cache(folder):
    return create("cache:disk", folder=str(folder))


def files(folder):
    return sorted(path for path in folder.rglob("*.sample"))


def test_it_is_there_in_the_next_run(folder, cache):
    cache.put("a", b"1")
    assert create("cache:disk", folder=str(folder)).get("a") == b"1"
    for other in (copy.copy(cache), pickle.loads(pickle.dumps(cache))):
        assert other.get("a") == b"1"


def test_its_place_is_that_of_copies(tmp_path, monkeypatch):
    monkeypatch.setenv("LEAVEN_HOME", str(tmp_path))
    cache = create("cache:disk")
    cache.put("a", b"1")
    assert len(files(tmp_path / "cache" / "samples")) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_a_miss_and_is_removed(folder, cache, data):
    cache.clear()
    cache.put("a", b"some bytes")
    cache.put("b", b"others")
    (path,) = (path for path in files(folder) if path.stat().st_size == 26)
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.sampled_from([0, *(1 << bit for bit in range(8))]))
    path.write_bytes(content[:cut] + (bytes([content[cut] ^ flip]) + content[cut + 1 :] if flip else b""))
    assert cache.get("a") is None
    assert not path.exists()
    assert cache.get("b") == b"others"
    assert cache.put("a", b"some bytes")
    assert cache.get("a") == b"some bytes"


def test_a_file_under_another_name_is_not_taken_for_it(folder, cache):
    cache.put("a", b"1")
    (one,) = files(folder)
    cache.put("b", b"2")
    (other,) = set(files(folder)) - {one}
    other.write_bytes(one.read_bytes())
    assert cache.get("b") is None


def test_its_budget_counts_for_all(folder):
    one, other = (create("cache:disk", folder=str(folder), budget=10_000) for _ in range(2))
    kept = [(one, other)[n % 2].put(f"{n}", bytes(984)) for n in range(14)]
    assert kept == [True] * 10 + [False] * 4
    assert sum(path.stat().st_size for path in files(folder)) == 10_000
    one.clear()
    assert other.put("13", bytes(984))


def test_what_is_there_already_counts(folder):
    cache = create("cache:disk", folder=str(folder))
    for n in range(10):
        cache.put(f"{n}", bytes(984))
    (folder / "usage").unlink()
    assert not create("cache:disk", folder=str(folder), budget=10_000).put("x", b"")
    assert create("cache:disk", folder=str(folder), budget=10_100).put("x", b"")


def test_several_processes(folder):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", CHILD, str(folder), "100000"]
    children = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    cache = create("cache:disk", folder=str(folder))
    found = [cache.get(f"key{n}") for n in range(200)]
    assert all(content in (None, bytes([n]) * 1000) for n, content in enumerate(found))
    kept = sum(path.stat().st_size for path in files(folder))
    assert kept == 1016 * sum(content is not None for content in found)
    assert kept == int.from_bytes((folder / "usage").read_bytes(), "little")
    assert 90_000 < kept <= 100_000
    assert list((folder / "parts").iterdir()) == []


def test_where_files_have_one_name_each(cache, folder, monkeypatch):
    def refused(*args):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert cache.put("a", b"1")
    assert cache.get("a") == b"1"
    assert list((folder / "parts").iterdir()) == []


def test_clearing_leaves_other_files(folder, cache):
    cache.put("a", b"1")
    mine = [folder / "notes.txt", folder / "0a.sample", files(folder)[0].parent / "photo.jpg"]
    for path in mine:
        path.write_text("mine")
    cache.clear()
    assert files(folder) == [folder / "0a.sample"]
    assert all(path.read_text() == "mine" for path in mine)


def test_what_was_broken_off_is_removed_later(folder, cache):
    parts = folder / "parts"
    cache.put("a", b"1")
    for name, age in (("old", 7200), ("new", 60)):
        (parts / name).write_bytes(b"half")
        os.utime(parts / name, (time.time() - age,) * 2)
    cache.close()
    cache.get("a")
    assert [path.name for path in parts.iterdir()] == ["new"]


def test_a_full_disk_is_no_error(cache, monkeypatch, caplog):
    def full(**options):
        raise OSError(28, "No space left on device")

    cache.put("a", b"1")
    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert [cache.put(f"{n}", b"1") for n in range(3)] == [False] * 3
    assert cache.get("a") == b"1"
    assert len(caplog.records) == 1
    assert "No space left on device; samples are read from where they are" in caplog.text
    monkeypatch.undo()
    assert cache.put("0", b"1")


def test_a_path_that_is_none():
    with pytest.raises(DatasetError, match="cannot be a folder: embedded null byte"):
        create("cache:disk", folder="\0").get("a")


def test_no_folder_can_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"cache:disk: .*file.* cannot be a folder"):
        create("cache:disk", folder=str(tmp_path / "file")).get("a")


@pytest.mark.parametrize("folder", [3, "", []])
def test_folders_that_are_none(folder):
    with pytest.raises(ParameterError, match="cache:disk: folder="):
        create("cache:disk", folder=folder)


def test_what_cannot_be_removed_is_told(cache, monkeypatch):
    cache.put("a", b"1")

    def refuse(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(DatasetError, match=r"cache:disk: .*\.sample: cannot be removed: Permission denied"):
        cache.clear()
