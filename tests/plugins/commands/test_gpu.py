from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from leaven.cli.main import run
from leaven_plugins.devices import gpus
from leaven_plugins.devices.gpus import Gpu, NoGpuError

TWO = [
    Gpu(0, 3, "Model A", 10_000, 3000, 40, 97, 271.6),
    Gpu(1, 1, "Model [B]", 81_559, 81_000),
]

FOREVER = """
from contextlib import contextmanager
from leaven.cli.main import main
from leaven_plugins.devices import gpus

@contextmanager
def readings():
    yield lambda: [gpus.Gpu(0, 0, "Model A", 10_000, 3000)]

gpus.readings = readings
main()
"""


@pytest.fixture
def machine(monkeypatch):
    """Let the driver tell of these GPUs, or fail with this error."""

    def has(found):
        @contextmanager
        def readings():
            if isinstance(found, Exception):
                raise found
            yield lambda: found

        monkeypatch.setattr(gpus, "readings", readings)

    return has


def test_a_line_for_each(machine, capsys):
    machine(TWO)
    assert run(["gpu"]) == 0
    heading, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert heading == ["#", "model", "used", "MiB", "free", "MiB", "GPU", "%", "°C", "W"]
    assert rows == [
        ["0", "Model", "A", "7000", "3000", "97", "40", "272"],
        ["1", "Model", "[B]", "559", "81000"],
    ]


def test_watching_needs_a_terminal(machine, capsys):
    machine(TWO)
    assert run(["gpu", "--watch"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_json(machine, capsys):
    machine(TWO)
    assert run(["gpu", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["problem"] == ""
    assert told["gpus"][0] == {
        "index": 0,
        "number": 3,
        "name": "Model A",
        "total_mib": 10_000,
        "free_mib": 3000,
        "used_mib": 7000,
        "temperature": 40,
        "utilisation": 97,
        "power": 271.6,
    }
    assert told["gpus"][1]["power"] is None


def test_no_gpu_is_an_answer(machine, capsys):
    machine(NoGpuError("no GPU: the driver knows none"))
    assert run(["gpu"]) == 0
    assert capsys.readouterr() == ("no GPU: the driver knows none\n", "")
    assert run(["gpu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"gpus": [], "problem": "no GPU: the driver knows none"}


def test_this_machine(capsys):
    assert run(["gpu"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.startswith(("no GPU: ", "#"))


def test_on_a_terminal_it_goes_on_until_interrupted():
    parent, child = pty.openpty()
    command = [sys.executable, "-c", FOREVER, "gpu", "--watch", "--interval", "0.1"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=child, stderr=child, stdin=child, env=environment) as process:
        os.close(child)
        deadline, seen = time.monotonic() + 30, b""
        while seen.count(b"Model A") < 3:  # it was drawn three times
            assert time.monotonic() < deadline, seen
            seen += os.read(parent, 65536)
        process.send_signal(2)
        try:
            while os.read(parent, 65536):
                pass
        except OSError:  # its end of the terminal is closed
            pass
        assert process.wait(30) == 0
    os.close(parent)
