"""SIGKILL the program that has the loader: its workers, memory and sockets go, whatever they are doing."""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from leftovers import Watched
from showing import HERE, Row, Shown, present, quantiles

STATES = ("idle", "busy", "stuck", "starting")
GOAL, LIMIT = 1.0, 5.0  # seconds until nothing may be left
WORKERS = 3
PATIENCE = 30.0


def parent(state: str) -> None:
    """What is killed: get into the state, say so, and stay in it."""
    import loader_parts as parts
    from mischief import Stuck

    from leaven import TurboDataLoader, create

    worker = Stuck() if state == "stuck" else parts.Echo(ms=1)
    loader = TurboDataLoader(create(parts.Numbers, size=400), 8, worker, WORKERS, endless=state == "busy")
    print("begins", flush=True)
    loader.start()
    if state == "starting":
        time.sleep(3600)
    reached: dict[str, Callable[[str], bool]] = {
        "idle": lambda stage: stage == "idle",
        "busy": lambda stage: stage not in ("idle", "start"),
        "stuck": lambda stage: stage == "prepare",
    }

    def say() -> None:
        while not all(reached[state](doing.stage) for doing in loader.workers()):
            time.sleep(0.002)
        print("there", flush=True)

    batches = iter(loader)
    if state == "idle":
        next(batches)
    threading.Thread(target=say, daemon=True).start()
    if state == "idle":
        time.sleep(3600)
    for _ in batches:
        pass


def killed(state: str, delay: float) -> tuple[float, list[str], list[str]]:
    """Kill a parent ``delay`` seconds after it has got into the state.

    Returns:
        for how many seconds there was anything left, and what was left at the goal and at the limit.
    """
    with Watched() as watched:
        command = [sys.executable, str(HERE / "parents.py"), "--parent", state]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=watched.environment, text=True) as process:
            assert process.stdout is not None
            while process.stdout.readline().strip() != ("begins" if state == "starting" else "there"):
                assert process.poll() is None, "the parent ended by itself"
            time.sleep(delay)
            began = time.monotonic()
            process.kill()
        after_goal = watched.left_at(began + GOAL)
        after_limit = watched.left_at(began + LIMIT) if after_goal else []
        return time.monotonic() - began, after_goal, after_limit


def swept() -> tuple[list[str], list[str]]:
    """Kill a parent and all its workers as they start; return what they left, and what of it the next loader left."""
    with Watched() as watched:
        command = [sys.executable, str(HERE / "parents.py"), "--parent", "starting"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=watched.environment, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            deadline = time.monotonic() + PATIENCE
            while len(watched.processes()) < 2 and time.monotonic() < deadline:
                time.sleep(0.001)
            for pid in [process.pid, *watched.processes()]:
                os.kill(pid, signal.SIGKILL)
        left = watched.left_at(time.monotonic() + GOAL)
        subprocess.run([sys.executable, str(HERE / "parents.py"), "--next"], env=watched.environment, check=True)
        return left, watched.left()


def next_loader() -> None:
    """What comes after: any loader, whose start removes what the dead have left."""
    import loader_parts as parts

    from leaven import TurboDataLoader, create

    with TurboDataLoader(create(parts.Numbers, size=8), 4, parts.Echo(), 1) as loader:
        assert len(list(loader)) == 2


def measure(moments: int = 20, seed: int = 0) -> Shown:
    draws = random.Random(seed)
    times, at_goal, at_limit = [], [], []
    for number in range(moments):
        state = STATES[number % len(STATES)]
        seconds, after_goal, after_limit = killed(state, draws.uniform(0, 0.3 if state == "starting" else 0.1))
        times.append(seconds)
        at_goal += [f"{state}: {what}" for what in after_goal]
        at_limit += [f"{state}: {what}" for what in after_limit]
    left, remaining = swept()
    late = quantiles(times)
    rows = [
        Row(
            f"SIGKILL of the program at {moments} moments (workers {', '.join(STATES)})",
            "after 1 s (at most 5 s) no process, no shared memory, no socket",
            f"all gone after p50 {late['p50']:.3f} s, max {late['max']:.3f} s; left after 1 s: "
            f"{', '.join(at_goal) or 'nothing'}",
            not at_limit,
        ),
        Row(
            "SIGKILL of the program and its workers in one moment, while they start",
            "the next loader removes what was left",
            f"{len(left)} left, then {len(remaining)}",
            not remaining,
        ),
    ]
    figures = {"clean_s": late, "left_after_1_s": at_goal, "left_after_5_s": at_limit, "swept": [left, remaining]}
    return Shown("parents", rows, figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parent", choices=STATES, help=argparse.SUPPRESS)
    parser.add_argument("--next", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.parent:
        parent(options.parent)
    elif options.next:
        next_loader()
    else:
        present(measure(options.moments, options.seed))
