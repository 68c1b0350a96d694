"""TaskQueue: order, errors at their place, shared outputs, deaths, close."""

from __future__ import annotations

import functools
import logging
import os
import sys

import numpy as np
import pytest
import task_parts

from leaven import LeavenError, NoMoreTasks, ParameterError, RecipeError, TaskError, TaskQueue, TimedOut, WorkerError
from leaven.stream import lane
from leaven.tasks import answers, call_lane
from leaven.tasks.calls import ByReference

HOWS = [{"transport": "zeromq", "nworkers": 2}, {"transport": "threads", "nworkers": 2}, {"nworkers": 0}]


@pytest.fixture(params=HOWS, ids=["zeromq", "threads", "inline"])
def queue(request):
    with TaskQueue(**request.param) as queue:
        yield queue


def test_results_come_in_the_order_of_the_queue(queue):
    for number in range(30):
        queue.put(task_parts.double, number)
    assert len(queue) == 30
    assert [queue.get(timeout=20) for _ in range(20)] == [2 * number for number in range(20)]
    queue.put(task_parts.echo, 1, a=(2, None))
    assert [queue.get() for _ in range(11)][-2:] == [58, ((1,), {"a": (2, None)})]
    assert len(queue) == 0
    with pytest.raises(NoMoreTasks, match="the queue is empty"):
        queue.get()


def test_a_task_may_end_before_those_put_earlier(tmp_path):
    with TaskQueue(2) as queue:
        queue.put(task_parts.wait_for, tmp_path / "go", "late")
        queue.put(task_parts.echo)
        queue.put((tmp_path / "go").touch)
        with pytest.raises(TimedOut):
            queue.get(timeout=0)
        assert [queue.get(timeout=20) for _ in range(3)] == ["late", ((), {}), None]


def test_no_more_than_depth_are_run_ahead(tmp_path):
    with TaskQueue(1, depth=2, transport="threads") as queue:
        for number in range(5):
            queue.put((tmp_path / str(number)).touch)
        queue.put(len, "ab")
        queue.get()
        queue.get()
        assert not (tmp_path / "4").exists()
        assert [queue.get() for _ in range(4)] == [None, None, None, 2]


def test_exceptions_come_at_their_place(queue):
    kinds = [(ValueError, "bad"), (KeyError, "key"), (OSError, 2, "no", "file"), (task_parts.OddError, 1)]
    for kind, *arguments in kinds:
        queue.put(task_parts.fail, kind, *arguments)
    queue.put(task_parts.double, 4)
    for kind, *arguments in kinds[:3]:
        with pytest.raises(kind) as caught:
            queue.get()
        assert str(caught.value) == str(kind(*arguments))
    with pytest.raises((task_parts.OddError, TaskError), match="number 2"):
        queue.get()
    assert queue.get() == 8


@pytest.mark.parametrize("kind", [SystemExit, StopIteration, GeneratorExit])
def test_what_would_end_a_loop_or_the_program_is_told(queue, kind):
    queue.put(task_parts.fail, kind, 3)
    queue.put(task_parts.double, 4)
    with pytest.raises(TaskError, match=f"{kind.__name__}: 3"):
        queue.get()
    assert queue.get() == 8


@pytest.mark.parametrize("transport", ["zeromq", "threads"])
def test_ctrl_c_raised_by_a_function_does_not_end_its_worker(transport):
    with TaskQueue(1, transport=transport) as queue:
        queue.put(task_parts.pid)
        queue.put(task_parts.fail, KeyboardInterrupt)
        queue.put(task_parts.pid)
        before = queue.get(timeout=20)
        with pytest.raises(TaskError, match="KeyboardInterrupt"):
            queue.get(timeout=20)
        assert queue.get(timeout=20) == before


@pytest.mark.parametrize(
    ("call", "kind", "name"),
    [
        ((task_parts.fail, task_parts.MuteError), task_parts.MuteError, "MuteError"),
        ((task_parts.fail, task_parts.UncopiedError), task_parts.UncopiedError, "UncopiedError"),
        ((task_parts.fail_secretively,), ValueError, "ValueError"),
    ],
    ids=["mute", "uncopied", "secretive"],
)
def test_exceptions_that_cannot_be_described_come_at_their_place(queue, call, kind, name):
    queue.put(*call)
    queue.put(task_parts.double, 4)
    with pytest.raises((kind, TaskError)) as caught:
        queue.get(timeout=20)
    assert type(caught.value) is kind or str(caught.value).startswith(name)
    assert queue.get(timeout=20) == 8


def test_what_fails_on_the_way_back_comes_at_its_place(monkeypatch):
    def lost(self, number, outcome):
        raise OSError("no way back")

    with TaskQueue(1, transport="threads") as queue:
        with monkeypatch.context() as patched:
            patched.setattr(ByReference, "send_outcome", lost)
            queue.put(task_parts.double, 3)
            with pytest.raises(WorkerError, match="no way back"):
                queue.get(timeout=20)
        queue.put(task_parts.double, 4)
        assert queue.get(timeout=20) == 8


def interrupted_at(function, steps):
    """Call a function with a Ctrl-C after so many lines of this code; return what it returns, and if there was one."""
    left = steps

    def step(frame, event, _):
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return step

    def trace(frame, event, _):
        return step if frame.f_code.co_filename in WATCHED else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return function(), left <= 0
    except KeyboardInterrupt:
        return None, True
    finally:
        sys.settrace(before)


WATCHED = {module.__file__ for module in (answers, call_lane, lane, sys.modules[TaskQueue.__module__])}


@pytest.mark.parametrize("how", HOWS[1:], ids=["threads", "inline"])
def test_ctrl_c_anywhere_in_get_leaves_the_task_where_it_is(how):
    lost, steps, interrupted = 0, 0, True
    while interrupted:
        steps += 1
        with TaskQueue(**how, depth=2) as queue:
            for number in range(5):
                queue.put(task_parts.double, number)
            assert queue.get(timeout=20) == 0
            first, interrupted = interrupted_at(lambda queue=queue: queue.get(timeout=20), steps)
            lost += interrupted and len(queue) < 4
            assert first == (None if interrupted else 2)
            left = len(queue)
            assert [queue.get(timeout=20) for _ in range(left)] == [2, 4, 6, 8][-left:]
    assert steps > 20
    assert lost <= 4  # it had been taken out, and was about to be returned


@pytest.mark.parametrize("how", HOWS[1:], ids=["threads", "inline"])
def test_ctrl_c_anywhere_in_put_does_not_shift_what_comes_after(how):
    steps, interrupted = 0, True
    while interrupted:
        steps += 1
        with TaskQueue(**how, depth=2) as queue:
            queue.put(task_parts.double, 0)
            _, interrupted = interrupted_at(lambda queue=queue: queue.put(task_parts.double, 1), steps)
            there = len(queue) == 2
            for number in range(2, 7):
                queue.put(task_parts.double, number)
            found = [queue.get(timeout=20) for _ in range(len(queue))]
            assert found == [0, *([2] if there else []), 4, 6, 8, 10, 12]
    assert steps > 5


@pytest.mark.parametrize("timeout", [float("inf"), 1e10, 10**400, 1e7])
def test_timeouts_that_are_never_over(queue, timeout):
    queue.put(task_parts.double, 4)
    assert queue.get(timeout=timeout) == 8


def test_outputs_lie_in_shared_memory(queue):
    start = np.array([(1, 2.0)], np.dtype([("a", "i1"), ("b", ">f8")]))
    queue.put(task_parts.fill, 7, out=[((2, 3), "float16"), (4, bool), ((0, 2), "u8")])
    queue.put(task_parts.echo, out=[start, ((2,), "M8[s]")])
    filled, flags, empty = queue.get()
    assert (filled.dtype, filled.tolist()) == (np.float16, [[7] * 3] * 2)
    assert (flags.tolist(), empty.shape) == ([True] * 4, (0, 2))
    same, times = queue.get()
    assert (same.dtype, same.tolist()) == (start.dtype, start.tolist())
    assert times.astype(int).tolist() == [0, 0]
    same["a"] = 5
    assert start["a"] == [1]


def test_outputs_begin_anew_where_a_process_died(tmp_path):
    with TaskQueue(1) as queue:
        queue.put(task_parts.add_and_die_once, tmp_path / "zeros", out=[((2,), "f4")])
        queue.put(task_parts.add_and_die_once, tmp_path / "start", out=[np.array([5, 6])])
        assert [queue.get(timeout=30)[0].tolist() for _ in range(2)] == [[1, 1], [6, 7]]


def test_a_task_that_kills_its_process_is_tried_again_and_then_an_error(tmp_path):
    with TaskQueue(2) as queue:
        queue.put(task_parts.die_once, tmp_path / "died", 1)
        queue.put(task_parts.kill_itself)
        for number in range(4):
            queue.put(task_parts.double, number)
        assert queue.get(timeout=30) == 1
        with pytest.raises(TaskError, match=r"task 1 \(kill_itself\) has killed 3 workers, .*SIGKILL"):
            queue.get(timeout=60)
        assert [queue.get(timeout=30) for _ in range(4)] == [0, 2, 4, 6]


def test_a_result_that_cannot_be_handed_back_is_named():
    with TaskQueue(1) as queue:
        queue.put(functools.partial, task_parts.double)
        queue.put(iter, [])
        queue.put(task_parts.Plain, a=1)
        assert queue.get().func is task_parts.double
        with pytest.raises(RecipeError, match="result: a list_iterator cannot be handed to another process"):
            queue.get()
        assert queue.get() == task_parts.Plain(a=1)


def test_too_few_tasks_are_warned_of(caplog):
    with TaskQueue(2, transport="threads") as queue:
        for number in range(4):
            queue.put(task_parts.double, number)
        with caplog.at_level(logging.INFO, "leaven.tasks"):
            queue.get()
            queue.get()
            assert caplog.messages == []
            queue.get()
            queue.get()
    assert caplog.messages == ["the queue has 1 left for 2 workers: put more before each get"]


def test_profile_logs_times(caplog):
    with TaskQueue(0, profile=True) as queue, caplog.at_level(logging.INFO, "leaven.tasks"):
        queue.put(task_parts.sleep, 0.01)
        queue.get()
    (message,) = caplog.messages
    assert message.startswith("sleep: waited ")
    assert float(message.split()[-2]) >= 10


def test_mistakes():
    queue = TaskQueue(0)
    with pytest.raises(ParameterError, match="5: expected a function, got a int"):
        queue.put(5)
    with pytest.raises(ParameterError, match=r"out\[1\]: expected \(shape, dtype\) or an array, got 5"):
        queue.put(task_parts.fill, out=[((2,), "f4"), 5])
    with pytest.raises(ParameterError, match="out: expected a list"):
        queue.put(task_parts.fill, out=np.zeros(3))
    with pytest.raises(ParameterError, match=r"out\[0\]: .*fixed size"):
        queue.put(task_parts.fill, out=[((2,), object)])
    with pytest.raises(ParameterError, match="depth=0"):
        TaskQueue(1, depth=0)
    with pytest.raises(ParameterError, match="nworkers=-1"):
        TaskQueue(-1)
    assert len(queue) == 0


def test_what_cannot_be_handed_over_is_refused_and_not_queued():
    with TaskQueue(1) as queue:
        with pytest.raises(RecipeError, match=r"args\[0\]: a lambda"):
            queue.put(task_parts.echo, lambda: None)
        queue.put(task_parts.pid)
        assert queue.get() != os.getpid()


def test_close_with_work_in_flight(queue):
    for _ in range(5):
        queue.put(task_parts.sleep, 0.05)
    queue.close()
    queue.close()
    with pytest.raises(LeavenError, match="the task queue has been closed"):
        queue.put(task_parts.pid)
    with pytest.raises(LeavenError, match="the task queue has been closed"):
        queue.get()


def test_a_forgotten_queue_closes_itself():
    queue = TaskQueue(2)
    queue.put(task_parts.double, 1)
    assert queue.get() == 2
    del queue  # what is left behind is looked for after each test
