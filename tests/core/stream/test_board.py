from __future__ import annotations

import gc
import os
import subprocess
import sys
import time

import pytest

from leaven.errors import ProtocolError
from leaven.stream.arena import anonymous
from leaven.stream.board import NAME, STAGES, Board


@pytest.fixture
def board():
    board = Board(3, "a loader")
    yield board
    board.close()


def test_a_worker_says_what_it_is_on(board):
    line = board.line(1)
    line.start(4711)
    doing = line.read()
    assert (doing.pid, doing.stage, doing.request, doing.index, doing.done) == (4711, "start", None, None, 0)
    assert str(doing) == "while it was starting"
    line.begin(2, 12)
    assert line.read()[:5] == (4711, 2, 12, None, "read")
    assert str(line.read()) == "while it worked on request 12 (stage read)"
    line.on(0, "decode")
    assert line.read()[:5] == (4711, 2, 12, 0, "decode")
    assert str(line.read()) == "while it worked on sample 0 of request 12 (stage decode)"
    line.stage("collate")
    assert line.read()[2:5] == (12, None, "collate")
    line.end()
    doing = line.read()
    assert (doing.request, doing.index, doing.stage, doing.done) == (None, None, "idle", 1)
    assert str(doing) == "while it waited for work"


def test_the_first_request_and_sample_are_not_none(board):
    board.line(0).begin(0, 0)
    board.line(0).on(0, "read")
    assert board.line(0).read()[2:4] == (0, 0)


def test_a_stage_of_somebody_elses(board):
    board.line(0).on(5, "my own stage")
    assert board.line(0).read().stage == "work"


def test_workers_do_not_write_into_each_others_lines(board):
    for number in range(3):
        board.line(number).start(number + 1)
        board.line(number).begin(0, number)
    assert [board.line(number).read().request for number in range(3)] == [0, 1, 2]


def test_a_successor_begins_anew(board):
    line = board.line(0)
    line.start(1)
    line.begin(0, 5)
    line.on(7, "decode")
    line.end()
    line.start(2)
    assert line.read()[:4] == (2, 0, None, None)
    assert line.read().done == 0


def test_how_long(board):
    line = board.line(0)
    assert line.read().seconds == 0
    line.begin(0, 1)
    time.sleep(0.02)
    assert 0.02 <= line.read().seconds < 30
    line.on(1, "decode")
    assert line.read().seconds < 30


def test_changes_are_recorded_where_that_is_wanted(board):
    line = board.line(0)
    line.begin(0, 1)
    line.trace = []
    line.on(7, "decode")
    line.stage("answer")
    line.end()
    assert [(STAGES[stage], index) for stage, index, _ in line.trace] == [("decode", 7), ("answer", -1), ("idle", -1)]
    times = [ns for *_, ns in line.trace]
    assert times == sorted(times)
    assert times[-1] <= time.monotonic_ns()


def test_another_process_writes_and_this_one_reads(board):
    script = "import sys\nfrom leaven.stream.board import Board\n"
    script += "line = Board(3, fd=int(sys.argv[1])).line(2)\nline.start(99)\nline.begin(1, 6)\nline.on(8, 'prepare')"
    subprocess.run([sys.executable, "-c", script, str(board.fd)], pass_fds=[board.fd], check=True, timeout=60)
    assert board.line(2).read()[:5] == (99, 1, 6, 8, "prepare")


def test_other_programs_find_it_by_its_name(board):
    assert NAME in os.readlink(f"/proc/{os.getpid()}/fd/{board.fd}")
    seen = Board.seen(os.open(f"/proc/{os.getpid()}/fd/{board.fd}", os.O_RDONLY))
    assert (seen.workers, seen.title, seen.pid) == (3, "a loader", os.getpid())
    assert 0 <= time.time() - seen.began < 100
    board.line(1).begin(0, 44)
    assert seen.line(1).read().request == 44
    with pytest.raises(TypeError):
        seen.line(1).begin(0, 45)  # it can only be read
    seen.close()


def test_long_titles_are_cut():
    board = Board(1, "ü" * 200)
    assert board.title.startswith("ü" * 90)
    assert board.line(0).read().pid == 0
    board.close()


@pytest.mark.parametrize("content", [b"", b"x" * 63, bytes(4096), b"\xff" * 4096])
def test_what_is_no_board(content):
    fd = anonymous(max(1, len(content)), "leaven-test")
    os.pwrite(fd, content, 0)
    with pytest.raises(ProtocolError, match="not a workers' board"):
        Board.seen(fd)
    os.close(fd)


def test_a_board_that_promises_more_workers_than_it_has_lines_for(board):
    fd = anonymous(4096, "leaven-test")
    head = bytearray(os.pread(board.fd, 4096, 0))
    head[16:24] = (1 << 40).to_bytes(8, "little")
    os.pwrite(fd, head, 0)
    with pytest.raises(ProtocolError, match="not a workers' board"):
        Board.seen(fd)
    os.close(fd)


def test_nothing_is_left_when_it_goes():
    before = len(os.listdir("/proc/self/fd"))
    board = Board(2, "gone soon")
    board.line(0).start(1)
    board.close()
    board.close()
    del board
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
