"""A loader that runs for long: memory stays as it is, and so does the number of descriptors."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from hashes import digits
from showing import Row, Shown, present

from leaven import TurboDataLoader

WARM_UP = 0.2  # of the time; nothing of it counts
WINDOWS = 5  # into which the rest is cut: medians of these are compared, not what one moment happens to have
FLAT = 0.02


class Sample(NamedTuple):
    """What was seen at a moment: seconds, memory, descriptors, batches so far.

    Memory is that of all processes together, what they share counted once: their own and the shared one (PSS of what
    is no file), without pages of files, of which more or fewer count as other programs use the same libraries.
    """

    seconds: float
    megabytes: float
    own_fds: int
    worker_fds: int
    batches: int


def watch(minutes: float, kill_every: float, workers: int, report: bool) -> list[Sample]:
    """Run epochs, look once a second or 100 times in all, kill a worker now and then."""
    found: list[Sample] = []
    began = time.monotonic()
    end, pause = began + 60 * minutes, min(1.0, 0.6 * minutes)
    next_look, next_kill, batches = began, began + (kill_every or float("inf")), 0
    with digits(workers, "zeromq", 32) as loader:
        while time.monotonic() < end:
            for _ in loader:
                batches += 1
                now = time.monotonic()
                if now >= end:
                    break
                if now >= next_kill and all_work(loader):
                    next_kill = now + kill_every
                    os.kill(random.choice(loader.workers()).pid, signal.SIGKILL)
                    time.sleep(0.1)
                elif now >= next_look and all_work(loader):
                    next_look = now + pause
                    found.append(seen(loader, now - began, batches))
                    if report and len(found) % 60 == 1:
                        print(found[-1], file=sys.stderr, flush=True)
    return found


def all_work(loader: TurboDataLoader) -> bool:
    """Return whether no worker is missing or just starting."""
    return all(doing.pid and doing.stage != "start" for doing in loader.workers())


def seen(loader: TurboDataLoader, seconds: float, batches: int) -> Sample:
    pids = [doing.pid for doing in loader.workers()]
    fds = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
    megabytes = sum(map(memory, [os.getpid(), *pids])) / 1e6
    return Sample(round(seconds, 1), round(megabytes, 2), len(os.listdir("/proc/self/fd")), fds, batches)


def memory(pid: int) -> int:
    """Return bytes of anonymous and shared memory."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    fields = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines[1:])}
    return fields["Pss_Anon"] + fields["Pss_Shmem"]


def measure(minutes: float = 20, kill_every: float = 0, workers: int = 2, report: bool = False) -> Shown:
    found = watch(minutes, kill_every, workers, report)
    warm = [sample for sample in found if sample.seconds >= WARM_UP * 60 * minutes]
    length = -(-len(warm) // WINDOWS)
    levels = [median(sample.megabytes for sample in warm[at : at + length]) for at in range(0, len(warm), length)]
    spread = (max(levels) - min(levels)) / min(levels)
    own, others = {sample.own_fds for sample in warm}, {sample.worker_fds for sample in warm}
    kills = f", a worker killed every {kill_every:g} s" if kill_every else ""
    row = Row(
        f"{minutes:g} minutes, {workers} processes{kills}: {found[-1].batches:,} batches",
        "memory flat within 2 %, descriptors constant",
        f"{min(levels):.1f} to {max(levels):.1f} MB ({spread:.2%}); descriptors {_range(own)} here, "
        f"{_range(others)} in the workers",
        spread <= FLAT and len(own) == 1 and len(others) == 1,
    )
    figures = {"levels_mb": levels, "spread": round(spread, 5), "samples": found[:: max(1, len(found) // 100)]}
    return Shown("soak", [row], figures)


def _range(counts: set[int]) -> str:
    return str(min(counts)) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--kill-every", type=float, default=0, metavar="SECONDS", help="kill a worker now and then")
    parser.add_argument("--workers", type=int, default=2)
    present(measure(**vars(parser.parse_args()), report=True))
