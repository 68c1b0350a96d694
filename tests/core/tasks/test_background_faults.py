"""BackgroundTask: processes that are killed, die of the function, or hang."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
import task_parts

from leaven import BackgroundTask, TaskError, TimedOut


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_is_killed_is_replaced(number):
    with BackgroundTask(task_parts.pid, nworkers=2) as task:
        seen = {int(task.get()[0]) for _ in range(8)}
        os.kill(min(seen), number)
        deadline = time.monotonic() + 20
        while len({int(task.get()[0]) for _ in range(8)} - seen) == 0:
            assert time.monotonic() < deadline


def test_a_function_that_kills_every_process_is_an_error_each_time():
    with BackgroundTask(task_parts.kill_itself, "f4", ()) as task:
        for _ in range(2):
            with pytest.raises(TaskError, match=r"a run of kill_itself has killed 3 workers, .*SIGKILL"):
                task.get(timeout=60)


def test_a_run_goes_on_where_its_process_died(tmp_path):
    with BackgroundTask(task_parts.die_once, "f8", (2,), args=(tmp_path / "died", np.ones(2))) as task:
        assert task.get(timeout=30)[0].tolist() == [1, 1]


def test_a_run_that_hangs_is_ended():
    with BackgroundTask(task_parts.sleep, "f8", (), worker_timeout=0.3) as task:
        with pytest.raises(TaskError, match=r"a run of sleep has killed 3 workers, .* without progress"):
            task.get(timeout=60)


def test_reset_ends_what_hangs(tmp_path):
    with BackgroundTask(task_parts.wait_for, "f8", (), args=(tmp_path / "go", 1.0)) as task:
        with pytest.raises(TimedOut):
            task.get(timeout=0.1)
        (tmp_path / "go").touch()
        task.reset()
        assert task.get(timeout=20)[0] == 1
