from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaven import create
from leaven.errors import DatasetError, ParameterError
from leaven.registry.recipes import recipe_of
from leaven_plugins.caches.shared import places, store
from leaven_plugins.caches.shared.cache import SharedCache

CHILD = """
import json, os, signal, sys, zlib
from pathlib import Path
from leaven_plugins.caches.shared import places
from leaven_plugins.caches.shared.cache import SharedCache
from leaven_plugins.caches.shared.store import Store

def value(key):
    return key.encode() * (zlib.crc32(key.encode()) % 500)

root, arguments, first, count, die = json.loads(sys.argv[1])
places.ROOT = Path(root)
cache = SharedCache(**arguments)
if die == "writing":
    def write(self, start, digest, content, whole=Store._write):
        whole(self, start, digest, content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    Store._write = write
if die == "written":
    def write(self, start, digest, content, whole=Store._write):
        whole(self, start, digest, content)
        os.kill(os.getpid(), signal.SIGKILL)
    Store._write = write
cache.put("ready", b"1")
print("ready", flush=True)
for n in range(first, first + count):
    key = f"key{n}"
    assert cache.get(key) in (None, value(key))
    assert cache.put(key, value(key))
    assert cache.get(key) == value(key)
"""


def value(key):
    return key.encode() * (zlib.crc32(key.encode()) % 500)


def start(arguments, first=0, count=300, die=""):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", CHILD, json.dumps([str(places.ROOT), arguments, first, count, die])]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def ended(child):
    status = child.wait(60)
    child.stdout.close()
    return status


@pytest.fixture(autouse=True)
def root(monkeypatch, tmp_path):
    """A folder for names that no other test looks into."""
    monkeypatch.setattr(places, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def name():
    return "some-name"


@pytest.fixture
def cache():
    made = create("cache:shared", budget="8MiB")
    yield made
    made.close()


def arguments_of(cache):
    return {"budget": cache.budget, **cache.shared_arguments}


def folders(name):
    return list(places.ROOT.glob(f"leaven-cache-*-{name}"))


# ---- several processes


@pytest.mark.parametrize("named", [False, True])
def test_all_processes_have_the_same(cache, name, named):
    if named:
        cache = create("cache:shared", budget="8MiB", name=name)
        cache.put("0", b"0")
    arguments = {"budget": "8MiB", "name": name} if named else arguments_of(cache)
    children = [start(arguments, first) for first in (0, 100, 200)]
    assert [ended(child) for child in children] == [0, 0, 0]
    for n in range(500):
        assert cache.get(f"key{n}") == value(f"key{n}")
    assert cache._store.count == 501 + named
    cache.close()
    assert folders(name) == []


@pytest.mark.parametrize("die", ["writing", "written"])
def test_who_dies_while_writing_spoils_nothing(cache, die):
    cache.put("before", b"1")
    child = start(arguments_of(cache), die=die)
    assert ended(child) == -signal.SIGKILL
    assert cache.get("ready") is None
    assert cache.put("ready", b"mine")
    assert cache.put("after", b"2")
    assert [cache.get(key) for key in ("before", "ready", "after")] == [b"1", b"mine", b"2"]


def test_killed_at_any_moment(cache):
    for turn in range(6):
        child = start(arguments_of(cache), count=100_000)
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.003 * turn)
        child.kill()
        ended(child)
        assert cache.put(f"turn{turn}", b"1")
    found = [cache.get(f"key{n}") for n in range(1000)]
    assert all(content in (None, value(f"key{n}")) for n, content in enumerate(found))
    assert found[0] is not None
    assert [cache.get(f"turn{turn}") for turn in range(6)] == [b"1"] * 6


def test_a_forked_process_has_the_same(cache):
    cache.put("parent", b"1")
    child = os.fork()
    if not child:
        os._exit(not (cache.get("parent") == b"1" and cache.put("child", b"2")))
    assert os.waitpid(child, 0)[1] == 0
    assert cache.get("child") == b"2"


def test_pickles_and_recipes_lead_to_the_same_memory(cache):
    cache.put("a", b"1")
    others = [pickle.loads(pickle.dumps(cache)), recipe_of(cache).build()]
    again = recipe_of(others[1]).build()
    for other in (*others, again):
        assert other.get("a") == b"1"
    again.put("b", b"2")
    assert cache.get("b") == b"2"
    cache.close()
    assert again.get("b") == b"2"  # the memory lives as long as anybody has it
    assert cache.get("b") is None


def test_memory_that_has_gone_is_a_cache_that_keeps_nothing(cache, caplog):
    other = SharedCache(**arguments_of(cache))
    cache.close()
    with caplog.at_level(logging.WARNING, "leaven.caches"):
        assert other.get("a") is None
        assert other.put("a", b"1") is False
        assert other.get("a") is None
        other.clear()
    assert [record.getMessage()[:31] for record in caplog.records] == ["cache:shared: nothing is kept: "]


def test_other_memory_at_the_same_place_is_not_taken_for_it(cache, caplog):
    memory = cache.shared_arguments["memory"]
    other = SharedCache(memory={**memory, "identity": memory["identity"] ^ 1})
    assert other.get("a") is None
    assert "is another one" in caplog.text


@pytest.mark.parametrize("memory", [{}, {"pid": 1}, {"pid": "a", "fd": 1, "device": 1, "inode": 1}])
def test_what_is_no_memory_at_all(memory, caplog):
    assert SharedCache(memory=memory).get("a") is None
    assert "nothing is kept" in caplog.text


# ---- names


def test_the_last_one_removes_it(name):
    one, other = (SharedCache("1MiB", name) for _ in range(2))
    one.put("a", b"1")
    assert other.get("a") == b"1"
    one.close()
    assert len(folders(name)) == 1
    assert other.get("a") == b"1"
    other.close()
    assert folders(name) == []
    assert one.get("a") is None
    one.close()


def test_what_killed_processes_leave_is_removed_by_the_next(name):
    child = start({"budget": "1MiB", "name": name}, count=100_000)
    assert child.stdout.readline() == "ready\n"
    child.kill()
    ended(child)
    assert len(folders(name)) == 1
    other = SharedCache("1MiB", "other")
    other.put("a", b"1")
    assert folders(name) == []
    assert len(folders("other")) == 1
    other.close()


def test_what_was_left_under_the_name_is_not_used(name):
    child = start({"budget": "1MiB", "name": name}, count=100_000)
    assert child.stdout.readline() == "ready\n"
    child.kill()
    ended(child)
    cache = SharedCache("1MiB", name)
    assert cache.get("ready") is None
    cache.close()


def test_many_come_and_go_at_once(name, root):
    problems = []

    def use():
        try:
            for n in range(12):
                cache = SharedCache("1MiB", f"{name}{n % 3}")
                assert cache.put(f"key{n}", b"1")
                assert cache.get(f"key{n}") == b"1"
                cache.close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("bad", ["", "a/b", "..", ".a", "ä", "a" * 101, "a b"])
def test_names_that_are_none(bad):
    with pytest.raises(ParameterError, match="cache:shared: name="):
        SharedCache("1MiB", bad).get("a")


def test_no_place_for_names(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "ROOT", tmp_path / "missing")
    with pytest.raises(DatasetError, match=r"missing.*without name= no folder is needed"):
        SharedCache("1MiB", "a").get("a")


def test_a_small_place_for_names(monkeypatch, tmp_path):
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr(places.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ParameterError, match=r"budget of 0\.00839 GB: 0\.00105 GB in .* are free"):
        SharedCache("8MiB", "small").get("a")
    assert folders("small") == []


# ---- room


def test_when_it_is_full_what_is_kept_stays():
    cache = create("cache:shared", budget=1 << 16)
    kept = [cache.put(f"{n}", bytes([n]) * 10_000) for n in range(9)]
    assert kept == [True] * 6 + [False] * 3
    assert [cache.get(f"{n}") for n in range(9)] == [bytes([n]) * 10_000 if n < 6 else None for n in range(9)]
    assert cache.put("3", b"again")
    assert cache.put("small", b"1")
    cache.clear()
    assert cache.put("8", bytes(10_000))
    cache.close()


def test_a_table_that_is_full():
    cache = create("cache:shared", budget=1 << 16)
    kept = [cache.put(f"{n}", b"1") for n in range(200)]
    assert kept == [True] * 96 + [False] * 104
    assert all(cache.get(f"{n}") == (b"1" if n < 96 else None) for n in range(200))
    cache.close()


def test_more_than_there_is_is_an_error_at_the_first_access(monkeypatch):
    monkeypatch.setattr(places, "free_memory", lambda: 10**9)
    cache = create("cache:shared", budget="4GiB")
    with pytest.raises(ParameterError, match=r"a budget of 4\.29 GB: 1 GB of memory are free; take a smaller one"):
        cache.get("a")
    with pytest.raises(ParameterError, match="take a smaller one"):
        recipe_of(cache)


def test_memory_that_others_have_taken_meanwhile(monkeypatch, caplog):
    cache = create("cache:shared", budget="64MiB")
    cache.put("first", b"1")
    monkeypatch.setattr(store, "free_memory", lambda: 1000)
    kept = [cache.put(f"{n}", bytes(1 << 20)) for n in range(20)]
    assert kept == [True] * 14 + [False] * 6
    assert cache.get("13") == bytes(1 << 20)
    assert len(caplog.records) == 1
    assert "no more memory after 16.8 MB" in caplog.text
    cache.close()


def test_pages_are_taken_as_they_are_needed(cache):
    cache = create("cache:shared", budget="256MiB")
    cache.put("a", bytes(1 << 20))
    assert os.fstat(cache._store.fd).st_blocks * 512 <= 32 << 20
    cache.close()


@pytest.mark.parametrize("budget", [65_536, 65_537, 100_001, 1_000_003])
def test_any_size(budget):
    cache = create("cache:shared", budget=budget)
    assert [cache.put(f"{n}", bytes(900)) for n in range(40)] == [True] * 40
    assert os.fstat(cache._store.fd).st_size <= budget
    cache.close()


def test_too_small_to_be_of_use():
    with pytest.raises(ParameterError, match="at least 65536 bytes are needed"):
        create("cache:shared", budget=1000)


# ---- damage


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, (1 << 18) - 1), junk=st.binary(min_size=1, max_size=300))
def test_spoilt_memory_is_no_wrong_value(place, junk):
    cache = SharedCache(1 << 18)
    keys = [f"key{n}" for n in range(300)]
    for key in keys:
        cache.put(key, value(key))
    memory = cache._store._memory
    memory[place : place + len(junk)] = junk[: (1 << 18) - place]
    for key in keys:
        assert cache.get(key) in (None, value(key))
    if place >= 64:  # behind the head
        cache.put("new", b"1")
        assert cache.get("new") in (None, b"1")
    cache.close()
