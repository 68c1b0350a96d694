from __future__ import annotations

import json
import os

import pytest

from leaven.errors import DatasetError
from leaven.stream import tracing
from leaven.stream.board import STAGES, Board
from leaven.stream.tracing import Trace

IDLE, READ, DECODE, COLLATE, ANSWER = (STAGES.index(stage) for stage in ("idle", "read", "decode", "collate", "answer"))


def slices(trace, thread):
    """Return the events in one row as ``{name: [(ts, dur, args)]}``."""
    (row,) = {e["tid"] for e in trace.events() if e["ph"] == "M" and e["args"]["name"] == thread}
    found = {}
    for event in trace.events():
        if event["ph"] == "X" and event["tid"] == row:
            found.setdefault(event["name"], []).append((event["ts"], event["dur"], event["args"]))
    return found


def test_stages_last_until_the_next_change():
    trace = Trace()
    trace.worker(1, 4711, 0, 12, [[READ, -1, 1_000], [DECODE, 55, 3_000], [COLLATE, -1, 10_000], [ANSWER, -1, 10_500]])
    assert slices(trace, "worker 1 (pid 4711)") == {
        "read": [(1.0, 2.0, {"request": 12})],
        "decode": [(3.0, 7.0, {"request": 12, "sample": 55})],
        "collate": [(10.0, 0.5, {"request": 12})],
        "request 12": [(1.0, 9.5, {"request": 12, "lane": 0})],
    }


def test_idle_ends_the_request_before_and_is_a_gap():
    trace = Trace()
    trace.worker(0, 7, 0, 1, [[READ, 0, 0], [ANSWER, -1, 4_000]])
    trace.worker(0, 7, 0, 2, [[IDLE, -1, 5_000], [READ, 1, 8_000], [ANSWER, -1, 9_000], [IDLE, -1, 10_000]])
    assert slices(trace, "worker 0 (pid 7)") == {
        "read": [(0.0, 4.0, {"request": 1, "sample": 0}), (8.0, 1.0, {"request": 2, "sample": 1})],
        "answer": [(4.0, 1.0, {"request": 1}), (9.0, 1.0, {"request": 2})],
        "request 1": [(0.0, 5.0, {"request": 1, "lane": 0})],
        "request 2": [(8.0, 2.0, {"request": 2, "lane": 0})],
    }
    assert trace.shares() == {"answer": 0.2, "idle": 0.3, "read": 0.5}
    assert list(trace.shares()) == ["read", "idle", "answer"]


def test_a_gap_without_idle_is_of_unknown_use():
    trace = Trace()
    trace.worker(0, 7, 0, 1, [[READ, -1, 0], [COLLATE, -1, 1_000]])
    trace.worker(0, 7, 0, 2, [[READ, -1, 50_000], [COLLATE, -1, 51_000]])
    assert trace.shares() == {"read": 1.0}
    assert [dur for _, dur, _ in slices(trace, "worker 0 (pid 7)")["read"]] == [1.0, 1.0]


def test_each_process_has_a_row_in_the_order_of_the_workers():
    trace = Trace()
    for number, pid in ((1, 30), (0, 20), (0, 40)):
        trace.worker(number, pid, 0, number, [[READ, -1, 0], [COLLATE, -1, 1_000]])
    named = [event["args"]["name"] for event in trace.events() if event["name"] == "thread_name"]
    assert named == ["consumer", "worker 0 (pid 20)", "worker 0 (pid 40)", "worker 1 (pid 30)"]
    assert all(len(slices(trace, name)["read"]) == 1 for name in named[1:])


def test_the_same_request_of_two_lanes_is_two_requests():
    trace = Trace()
    trace.worker(0, 7, 0, 1, [[READ, -1, 0], [IDLE, -1, 1_000]])
    trace.worker(0, 7, 3, 1, [[READ, -1, 1_000], [IDLE, -1, 3_000]])
    whole = slices(trace, "worker 0 (pid 7)")["request 1"]
    assert whole == [(0.0, 1.0, {"request": 1, "lane": 0}), (1.0, 2.0, {"request": 1, "lane": 3})]


def test_the_consumers_events():
    trace = Trace()
    trace.consumer("wait", 2_000, 5_000, iteration=3)
    trace.consumer("hand-out", 5_000, 6_000)
    assert slices(trace, "consumer") == {"wait": [(2.0, 3.0, {"iteration": 3})], "hand-out": [(5.0, 1.0, {})]}


def test_nothing_was_recorded():
    assert Trace().shares() == {}
    assert {event["ph"] for event in Trace().events()} == {"M"}


def test_a_stage_that_this_version_does_not_know():
    trace = Trace()
    trace.worker(0, 7, 0, 1, [[99, -1, 0], [-5, -1, 1_000], [IDLE, -1, 2_000]])
    assert trace.shares() == {"?": 1.0}


def test_a_boards_line_writes_what_a_trace_reads():
    board = Board(1, "a loader")
    line = board.line(0)
    line.trace = []
    line.begin(0, 8)
    line.on(17, "decode")
    line.stage("answer")
    line.end()
    trace = Trace()
    trace.worker(0, os.getpid(), 0, 8, line.trace)
    board.close()
    found = slices(trace, f"worker 0 (pid {os.getpid()})")
    assert set(found) == {"read", "decode", "answer", "request 8"}
    assert found["decode"][0][2] == {"request": 8, "sample": 17}
    ends = [found[name][0][0] + found[name][0][1] for name in ("answer", "request 8")]
    assert ends[0] == pytest.approx(ends[1])


def test_the_file_is_what_perfetto_opens(tmp_path):
    trace = Trace()
    trace.worker(0, 7, 0, 1, [[READ, 0, 1], [IDLE, -1, 1_001]])
    trace.consumer("wait", 0, 10)
    trace.write(tmp_path / "trace.json")
    content = json.loads((tmp_path / "trace.json").read_text())
    assert content["traceEvents"] == trace.events()
    for event in content["traceEvents"]:
        assert set(event) >= {"name", "ph", "pid", "tid", "args"}
        assert event["ph"] == "M" or (event["dur"] > 0 and event["ts"] >= 0)


def test_a_long_run_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(tracing, "_MOST", 5)
    trace = Trace()
    for request in range(4):
        trace.worker(0, 7, 0, request, [[READ, -1, 10 * request], [IDLE, -1, 10 * request + 5]])
    assert trace.dropped == 4
    assert len(slices(trace, "worker 0 (pid 7)")["read"]) == 2


def test_numbers_that_are_no_times_are_not_kept():
    trace = Trace()
    trace.worker(0, 7, 0, 1, [[READ, -1, 2**63], [IDLE, -1, 2**64 - 1]])
    assert trace.dropped == 2
    assert trace.shares() == {}


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "missing" / "trace.json"
    with pytest.raises(DatasetError, match=f"trace {path}: cannot be written: No such file"):
        Trace().write(path)
