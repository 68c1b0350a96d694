"""Processes that end while they save: by Ctrl-C at any moment, and by SIGKILL."""

from __future__ import annotations

import os
import subprocess
import sys

from leaven_plugins.snapshots.files import load_snapshot, save_snapshot
from leaven_plugins.snapshots.shelf import Shelf

INTERRUPTED = """
import signal, sys
from pathlib import Path
import torch
from leaven_plugins.snapshots.files import Snapshot, save_snapshot

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
content = Snapshot({"model": {f"weight_{i}": torch.zeros(100, 100) for i in range(10)}}, {})
outcomes = set()
for i in range(150):
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-5 + i * 2e-5)
        save_snapshot(Path(sys.argv[1]) / "epoch_0001", content)
        signal.setitimer(signal.ITIMER_REAL, 0)
        outcomes.add("saved")
    except BaseException as error:
        outcomes.add(type(error).__name__)
print(*sorted(outcomes))
"""


def test_an_interrupt_while_saving_is_an_interrupt(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, tmp_path], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) in (
        ("KeyboardInterrupt saved", "", 0),
        ("KeyboardInterrupt", "", 0),
    )


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from leaven_plugins.snapshots.files import Snapshot
from leaven_plugins.snapshots.shelf import Shelf, name_of

folder, moments = Path(sys.argv[1]), random.Random(7)
shelf = Shelf(folder, keep_last=2)

def train(first, last):
    for epoch in range(first, last + 1):
        parts = {"model": [torch.full((1000,), float(epoch)) for _ in range(20)], "optimizer": {"epoch": epoch}}
        shelf.save(name_of(epoch), Snapshot(parts, {"epoch": epoch}))
        shelf.save(name_of(epoch), Snapshot(parts, {"epoch": epoch}))  # which replaces it

began = time.perf_counter()
train(1, 2)
took, done = (time.perf_counter() - began) / 4, 2  # seconds that one of the four takes on this machine as it is now
for _ in range(20):
    child = os.fork()  # without importing torch 20 times
    if child == 0:
        train(done + 1, done + 1000)
    time.sleep(moments.uniform(0, 8 * took))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told = []
    last = shelf.last(told.append)
    assert not told, told
    assert int(last.name[-4:]) >= done, (last, done)
    done = int(last.name[-4:])
print(done)
"""


def test_killed_at_any_moment_it_leaves_whole_snapshots_only(tmp_path):
    command = [sys.executable, "-W", "error", "-c", KILLED, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stderr, done.returncode) == ("", 0)
    last = Shelf(tmp_path).last()
    snapshot = load_snapshot(last)
    assert snapshot.about["epoch"] == int(done.stdout) > 1
    assert snapshot.parts["model"][7].tolist() == [int(done.stdout)] * 1000
    save_snapshot(tmp_path / "epoch_9999", snapshot)
    left = [name for name in os.listdir(tmp_path) if "." in name]
    assert left == [], "what dead writers have left is cleared up by the next one"
