"""Time to the first batch of the digits demo, each time in a new process: with processes, and with threads."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from statistics import median

from showing import HERE, Row, Shown, present

GOALS = {"zeromq": 0.6, "threads": 0.15}  # seconds from the loader's construction


def first_batch(transport: str, started: float) -> None:
    """Print the seconds from the loader's construction, and from the process' start, to the first batch."""
    from leaven import default_registry
    from leaven_plugins.commands.demo.command import CONFIG
    from leaven_plugins.commands.train.experiment import Experiment

    experiment = Experiment(CONFIG, default_registry(), [f"loader.transport={transport}", "loader.nworkers=2"])
    began = time.monotonic()
    with experiment.train_loader() as loader:
        next(iter(loader))
        now = time.monotonic()
    print(now - began, now - started, flush=True)


def measure(rounds: int = 9) -> Shown:
    rows, figures = [], {}
    for transport, goal in GOALS.items():
        command = [sys.executable, str(HERE / "first_batch.py"), "--transport", transport, "--started"]
        found, ends = [], set()
        for _ in range(rounds):
            answer = subprocess.run([*command, str(time.monotonic())], capture_output=True, text=True, check=False)
            found.append([float(seconds) for seconds in answer.stdout.split()])
            ends.add(answer.returncode)
        loader, process = (median(column) for column in zip(*found, strict=True))
        figures[transport] = {
            "from_construction_s": round(loader, 3),
            "from_process_start_s": round(process, 3),
            "exit_statuses": sorted(ends),
        }
        row = Row(
            f"first batch of the digits demo, 2 workers, {transport} (median of {rounds} processes)",
            f"<= {goal:g} s",
            f"{loader:.3f} s from the loader's construction, {process:.3f} s from the start of the process"
            + ("" if ends == {0} else f"; exit status {ends}"),
            loader <= goal and ends == {0},
        )
        rows.append(row)
    return Shown("first_batch", rows, figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--transport", choices=GOALS, help=argparse.SUPPRESS)
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.transport:
        first_batch(options.transport, options.started)
    else:
        present(measure(options.rounds))
