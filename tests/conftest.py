"""Fixtures of all tests: nothing is left behind, golden data."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

# other work may have the processor; each run draws examples of its own
settings.register_profile("leaven", max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("leaven")

_GRACE = 1.0  # seconds in which what was just told to end may do so
_FDS = 3  # libraries open some for good when they are first used


class _State(NamedTuple):
    """What a test could leave behind. ``files`` are named shared memory and semaphores, and folders for sockets."""

    children: frozenset[int]
    threads: frozenset[str]
    files: frozenset[str]
    fds: int
    folder: str

    def leftovers(self, before: _State) -> list[str]:
        found = [
            *(f"child process {pid} ({_command(pid)})" for pid in self.children - before.children),
            *(f"thread {name}" for name in self.threads - before.threads),
            *(f"file {name}" for name in self.files - before.files),
        ]
        if self.fds > before.fds + _FDS:
            found.append(f"{self.fds - before.fds} open descriptors")
        if self.folder != before.folder:
            found.append(f"working folder {self.folder}")
        return found


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Collect tests without the garbage collector, which would go through thousands of them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let sockets be made where no other program makes any; a short path, since those of sockets are limited."""
    tmp_path_factory.getbasetemp()  # this one stays where it always is, to be looked at afterwards
    with tempfile.TemporaryDirectory(prefix="lt-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)  # which pytest-xdist sets, as if there were a terminal
        patch.setenv("TMPDIR", folder)
        patch.setenv("XDG_RUNTIME_DIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="module", autouse=True)
def light_garbage_collection() -> None:
    """Let the collector pass over what was there before: with torch's modules, a pass took most of a second."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let the interpreter end as it would: libraries complain of what is left."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves processes, threads of ours, shared memory, sockets or descriptors behind.

    A test that failed is not looked at: its traceback holds on to what it was working with.
    """
    before = _state()
    yield
    if not request.node.stash.get(_FAILED, False) and (found := _left_after(before)):
        pytest.fail(f"left behind: {', '.join(found)}")


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of arrays that other programs made, beside the repository."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "golden"
    if not folder.is_dir():
        pytest.skip("no golden data beside the repository")
    return folder


def _left_after(before: _State) -> list[str]:
    deadline = time.monotonic() + _GRACE
    while found := _state().leftovers(before):
        if time.monotonic() > deadline:
            return found
        gc.collect()
        time.sleep(0.02)
    return []


def _state() -> _State:
    return _State(
        children=frozenset(_children()),
        threads=frozenset(thread.name for thread in threading.enumerate() if thread.name.startswith("leaven")),
        files=frozenset(_files()),
        fds=_entry_count("/proc/self/fd"),
        folder=os.getcwd(),
    )


def _children() -> Iterator[int]:
    for thread in _entries("/proc/self/task"):
        try:
            yield from map(int, Path(f"/proc/self/task/{thread}/children").read_text().split())
        except OSError:  # the thread has ended
            continue


def _files() -> Iterator[str]:
    yield from (f"/dev/shm/{name}" for name in _entries("/dev/shm") if name.startswith(("leaven", "psm_", "sem.")))
    folder = tempfile.gettempdir()
    yield from (f"{folder}/{name}" for name in _entries(folder) if name.startswith("leaven-"))


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _entry_count(folder: str) -> int:
    return len(_entries(folder))


def _command(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "ended"
    return command.replace(b"\0", b" ").decode().strip() or "ended, not waited for"
