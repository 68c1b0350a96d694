from __future__ import annotations

import gc
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from leaven.cli.main import run
from leaven.stream.arena import anonymous
from leaven.stream.board import NAME, Board
from leaven_plugins.commands.top.finding import boards
from leaven_plugins.commands.top.looking import Loader, Looks, Seen, settled
from leaven_plugins.commands.top.view import NOTHING, duration, view

TITLE = f"a loader of process {os.getpid()}"


@pytest.fixture
def board():
    """The board of a loader with two workers: this process, which is on a sample, and one that has not begun."""
    gc.collect()  # the one of the test before lives as long as anything shows it
    board = Board(2, TITLE)
    line = board.line(0)
    line.start(os.getpid())
    line.begin(0, 12)
    line.on(345, "decode")
    yield board
    board.close()


def only(loaders, title=TITLE):
    """Return the loader of this test; other programs may have some as well."""
    (loader,) = [loader for loader in loaders if loader.title == title]
    return loader


def text(loaders, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(view(loaders))
    return captured.get()


# ---- finding


def test_a_board_is_found_once_though_several_processes_have_it(board):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[board.fd]) as child:
        assert Path(f"/proc/{child.pid}/fd/{board.fd}").exists()
        with boards() as found:
            assert [one.title for one in found].count(TITLE) == 1
        child.communicate(b"\n")


def test_of_the_user_whose_processes_they_are(board):
    if os.getuid():
        pytest.skip("needs root, to become another user")
    script = "import os, sys\nos.setuid(65534)\nfrom leaven_plugins.commands.top.finding import boards\n"
    script += "with boards() as found: print([one.title for one in found])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    if "Permission" in done.stderr:
        pytest.skip("another user cannot read this installation")
    assert TITLE not in done.stdout


def test_nothing_is_left_open(board):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with boards() as found:
            assert found
        del found
    assert len(os.listdir("/proc/self/fd")) == before


def folder_of_processes(tmp_path, *targets):
    """Make what looks like /proc, with a process for each target of a link."""
    for pid, target in enumerate(targets, 100):
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "fd" / "3").symlink_to(target)
    (tmp_path / "meminfo").write_text("")
    (tmp_path / "99").mkdir()
    return tmp_path


def test_processes_that_have_ended_are_passed_over(tmp_path):
    with boards(folder_of_processes(tmp_path, f"/memfd:{NAME} (deleted)", "socket:[1]")) as found:
        assert found == []
    with boards(tmp_path / "nothing") as found:
        assert found == []


@pytest.mark.parametrize("content", [b"", b"x" * 64, bytes(4096)], ids=["empty", "short", "zeros"])
def test_memory_of_that_name_that_is_no_board(content):
    fd = anonymous(max(1, len(content)), NAME)
    try:
        os.pwrite(fd, content, 0)
        with boards() as found:
            inodes = [os.fstat(one.fd).st_ino for one in found]
        assert os.fstat(fd).st_ino not in inodes
    finally:
        os.close(fd)


def test_memory_that_could_be_cut_off_is_not_mapped(board):
    fd = os.memfd_create(NAME)
    try:
        os.write(fd, os.pread(board.fd, 4096, 0))
        with boards() as found:
            assert [one.title for one in found].count(TITLE) == 1
    finally:
        os.close(fd)


# ---- looking


def test_what_is_seen(board):
    loader = only(Looks().look())
    assert loader.pid == os.getpid()
    assert 0 <= loader.seconds < 100
    busy, missing = loader.workers
    assert (busy.number, busy.pid, busy.stage, busy.sample, busy.request) == (0, os.getpid(), "decode", 345, 12)
    assert busy.done == 0
    assert 0 <= busy.seconds < 100
    assert 1 < busy.memory_mb < 100_000
    assert busy.requests_per_second is busy.cpu_percent is None  # nothing was seen before
    assert (missing.pid, missing.memory_mb, missing.cpu_seconds) == (0, None, None)


def test_rates_are_of_the_time_between_two_looks(board, monkeypatch):
    times = iter([100.0, 104.0])
    looks = Looks()
    looks.look()
    looks._time = 0.0
    monkeypatch.setattr("leaven_plugins.commands.top.looking.time.monotonic", lambda: next(times))
    line = board.line(0)
    looks.look()
    for number in range(6):
        line.begin(0, number)
        line.end()
    busy = only(looks.look()).workers[0]
    assert busy.requests_per_second == pytest.approx(6 / 4)
    assert 0 <= busy.cpu_percent < 200
    assert (busy.stage, busy.sample, busy.request, busy.done) == ("idle", None, None, 6)


def test_two_loaders_of_one_process_do_not_mix(board):
    other = Board(1, "another")
    other.line(0).start(os.getpid())
    looks = Looks()
    looks.look()
    other.line(0).begin(0, 0)
    other.line(0).end()
    loaders = looks.look()
    other.close()
    assert only(loaders).workers[0].requests_per_second == 0
    assert only(loaders, "another").workers[0].requests_per_second > 0


def test_a_worker_that_has_ended(board):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    board.line(1).start(gone.pid)
    seen = only(Looks().look()).workers[1]
    assert (seen.pid, seen.stage, seen.memory_mb, seen.cpu_seconds) == (gone.pid, "start", None, None)


def test_a_loader_that_has_ended_is_not_shown(board, tmp_path):
    proc = folder_of_processes(tmp_path, f"/proc/{os.getpid()}/fd/{board.fd}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.readlink", lambda link: f"/memfd:{NAME}")
        with boards(proc) as found:
            assert [one.title for one in found] == [TITLE]
        assert Looks(proc).look() == []


def test_a_title_cannot_move_the_cursor():
    board = Board(0, "evil \x1b[2J\n title")
    titles = [loader.title for loader in Looks().look()]
    board.close()
    assert "evil \\x1b[2J\\n title" in titles


def test_a_settled_look_has_rates(board):
    assert only(settled(Looks(), 0.01)).workers[0].requests_per_second == 0


# ---- showing

LOADER = Loader(
    "train.py --a-long-title " + "x" * 100,
    1234567,
    4000.0,
    (
        Seen(0, 1234568, "decode", 1234567890, 1234567, 0.012, 1234567, 20.0, 12345.0, 1234.5, 100.4),
        Seen(1, 1234569, "idle", None, None, 75.0, 3, 20.0, 55.5, 0.25, 0.0),
        Seen(2, 0, "idle", None, None, 0.0, 0, None, None),
    ),
)


def test_a_table_fits_into_80_characters():
    lines = text([LOADER]).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].endswith("…")
    assert lines[1:] == [
        "pid 1234567, 3 workers, running for 67 min",
        "#      pid  stage       sample  request     for     done  req/s  CPU %     MB",
        "0  1234568  decode  1234567890  1234567   12 ms  1234567   1234    100  12345",
        "1  1234569  idle                         75.0 s        3    0.2    0.0     56",
        "2           none                                       0                     ",
        "",
    ]


def test_nothing_to_see():
    assert text([], 200).strip() == NOTHING


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.999, "999 ms"), (0.9996, "1.0 s"), (99, "99.0 s"), (100, "2 min"), (5940, "99 min"), (7200, "2 h")],
)
def test_durations(seconds, shown):
    assert duration(seconds) == shown


# ---- the command


def test_the_command_once(board, capsys):
    assert run(["top", "--once", "--interval", "0.1"]) == 0
    out = capsys.readouterr().out
    assert TITLE in out
    assert "decode     345       12" in out


def test_json(board, capsys):
    assert run(["top", "--json", "--interval", "0.1"]) == 0
    (loader,) = [each for each in json.loads(capsys.readouterr().out)["loaders"] if each["title"] == TITLE]
    assert set(loader) == {"title", "pid", "seconds", "workers"}
    assert loader["workers"][0]["sample"] == 345
    assert set(loader["workers"][0]) == set(Seen.__dataclass_fields__)


def test_no_loader_is_no_fault(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(Looks.__init__, "__defaults__", (tmp_path,))
    assert run(["top"]) == 0
    assert capsys.readouterr().out == NOTHING + "\n"


def test_on_a_terminal_it_goes_on_until_interrupted(board):
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "leaven", "top", "--interval", "0.1"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "500"}
    with subprocess.Popen(command, stdout=child, stderr=child, stdin=child, env=environment) as process:
        os.close(child)
        deadline, seen = time.monotonic() + 30, b""
        while seen.count(b"decode") < 3:  # it was drawn three times
            assert time.monotonic() < deadline
            seen += os.read(parent, 65536)
        process.send_signal(2)
        try:
            while os.read(parent, 65536):
                pass
        except OSError:  # its end of the terminal is closed
            pass
        assert process.wait(30) == 0
    os.close(parent)


def test_a_worker_whose_process_has_ended_is_called_so(board):
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    board.line(1).start(child.pid)
    rows = [line.split() for line in text([only(Looks().look())]).splitlines()]
    (row,) = [row for row in rows if row[1:2] == [str(child.pid)]]
    assert row[2] == "ended"
    (row,) = [row for row in rows if row[1:2] == [str(os.getpid())]]
    assert row[2] == "decode"
