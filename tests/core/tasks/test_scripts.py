"""Functions of the user's own script, Ctrl-C, and the end of a script."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import os, signal, sys, threading, time
from pathlib import Path
import numpy as np
from leaven import BackgroundTask, TaskQueue

class Data:
    def __init__(self, size):
        self.image = np.arange(size)

    def batch(self, count):
        return self.image[:count], np.array(os.getpid())

class OwnError(Exception):
    pass

def fail():
    raise OwnError("text")

def slow():
    time.sleep(0.05)
    return 1.0

if __name__ == "__main__":
    with BackgroundTask(Data(100_000).batch, args=(4,)) as task:
        image, pid = task.get()
        print(image, pid != os.getpid())
    with TaskQueue(1) as queue:
        queue.put(fail)
        queue.put(fail)
        try:
            queue.get()
        except OwnError as error:
            print(repr(error))
    with BackgroundTask(slow, "f8", (), nworkers=2) as task:
        task.get()
        timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            while True:
                task.get()
        except KeyboardInterrupt:
            timer.join()
            task.reset()
            print("reset", task.get())
{end}
"""


def run_script(tmp_path, end):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.replace("{end}", end))
    command = [sys.executable, "-W", "error", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_functions_of_the_users_own_script(tmp_path):
    done = run_script(tmp_path, "")
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = done.stdout.splitlines()
    assert first == "[0 1 2 3] True"
    assert second == "OwnError('text')"
    assert third == "reset (array(1.),)"


def test_ctrl_c_and_the_end_of_a_script_leave_nothing_behind(tmp_path):
    end = """
    task = BackgroundTask(slow, "f8", (), nworkers=2)
    task.get()
    for thread in os.listdir("/proc/self/task"):
        print(Path(f"/proc/self/task/{thread}/children").read_text().replace(" ", "\\n"))
    signal.raise_signal(signal.SIGINT)
"""
    done = run_script(tmp_path, end)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.count("Traceback") == 1
    pids = [int(line) for line in done.stdout.split("\n")[3:] if line.strip()]
    assert len(pids) >= 2
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)
