from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import leaven
from leaven.errors import ConfigError
from leaven.stream.failpoints import POINTS, VARIABLE, Failure, check, failpoint, failures

PASSES = """
from leaven.stream.failpoints import failpoint
for number in range(5):
    print(number, flush=True)
    failpoint("worker.before_ack")
"""


def passing(text):
    """Run a process that passes a point five times and says so before each; return it, its output to be read."""
    environment = {**os.environ, VARIABLE: text, "PYTHONFAULTHANDLER": ""}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", PASSES], env=environment, text=True, **pipes)


def ended(text):
    """Return exit status, passes begun and standard error of such a process."""
    with passing(text) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out.split(), err


def test_nothing_happens_unless_asked_for(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    check()
    for point in POINTS:
        failpoint(point)
    assert ended("") == (0, ["0", "1", "2", "3", "4"], "")


def test_other_points_are_passed():
    assert ended("worker.after_ack:kill")[0] == 0


def test_kill():
    assert ended("worker.before_ack:kill:3")[:2] == (-signal.SIGKILL, ["0", "1", "2"])


def test_a_segmentation_fault_is_a_real_one():
    assert ended("worker.before_ack:segv:2")[:2] == (-signal.SIGSEGV, ["0", "1"])


def test_exit_looks_like_success_and_comes_first_by_default():
    assert ended("worker.before_ack:exit")[:2] == (0, ["0"])


def test_raise():
    status, passes, err = ended("worker.before_ack:raise:5")
    assert status == 1
    assert len(passes) == 5
    assert "RuntimeError: raised by LEAVEN_FAILPOINT" in err


def test_several_at_one_point():
    status, passes, _ = ended("worker.before_ack:kill:4, worker.before_ack:exit:2")
    assert (status, len(passes)) == (0, 2)


@pytest.mark.parametrize(("action", "state"), [("hang", "S"), ("stop", "T")])
def test_hang_and_stop_last_until_the_process_is_killed(action, state):
    with passing(f"worker.before_ack:{action}:2") as process:
        assert [process.stdout.readline(), process.stdout.readline()] == ["0\n", "1\n"]
        deadline = time.monotonic() + 30
        while state_of(process.pid) != state:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        assert process.stdout.read() == ""


def state_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_what_is_asked_for():
    assert failures("worker.read:kill:3,worker.starting:exit") == [
        Failure("worker.read", "kill", 3),
        Failure("worker.starting", "exit", 1),
    ]
    assert failures("") == failures(" , ") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worker.befor_ack:kill", r"no point 'worker\.befor_ack', did you mean 'worker\.before_ack'\?; points: worker"),
        ("worker.read:explode", "no action 'explode'.*; actions: exit, hang, kill, raise, segv, stop"),
        ("worker.read", "no action ''"),
        ("worker.read:kill:0", "'0' is not the number of a pass"),
        ("worker.read:kill:", "'' is not the number"),
        ("worker.read:kill:3:4", "'3:4' is not the number"),
        ("worker.read:kill:-1", "'-1' is not the number"),
    ],
)
def test_mistakes_are_found_by_the_check(monkeypatch, text, words):
    monkeypatch.setenv(VARIABLE, f"worker.read:kill,{text}")
    with pytest.raises(ConfigError, match=f"^LEAVEN_FAILPOINT: .*{words}"):
        check()


def test_a_process_with_a_mistake_in_the_variable_fails_nowhere():
    assert ended("worker.before_ack:kill,nonsense")[0] == 0


def test_every_point_is_somewhere_in_the_workers_code():
    package = Path(leaven.__file__).parent
    found = [re.findall(r'failpoint\("([\w.]+)"\)', path.read_text()) for path in package.rglob("*.py")]
    assert {name for names in found for name in names} == set(POINTS)
