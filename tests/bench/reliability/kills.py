"""SIGKILL workers again and again during one run: nothing is lost, doubled or different, and each death is noticed."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from typing import Any

from showing import Row, Shown, digest, present, quantiles

from leaven import TurboDataLoader, create

PATIENCE = 60.0  # seconds for a replacement to come up


class Notices(logging.Handler):
    """Remembers when the loader said of a process that it had died."""

    def __init__(self) -> None:
        super().__init__()
        self.times: dict[int, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"worker \d+ \(pid (\d+)\)", record.getMessage()):
            self.times[int(found[1])] = record.created

    def __enter__(self) -> Notices:
        self.logger = logging.getLogger("leaven.loader")
        self.propagates, self.logger.propagate = self.logger.propagate, False
        self.logger.addHandler(self)
        return self

    def __exit__(self, *exc: object) -> None:
        self.logger.removeHandler(self)
        self.logger.propagate = self.propagates


class Killer(threading.Thread):
    """Kills each worker ``each`` times while the stream passes from its begin to its end.

    Moments are random: places in the stream, then up to 30 ms. One of five is at once after the replacement's process
    has appeared, so that it dies while it starts.
    """

    def __init__(self, loader: TurboDataLoader, workers: int, each: int, samples: int, seed: int) -> None:
        super().__init__(name="killer", daemon=True)
        draws = random.Random(seed)
        order = [worker for worker in range(workers) for _ in range(each)]
        draws.shuffle(order)
        places = sorted(draws.randrange(int(samples * 0.97)) for _ in order)
        at_start = [draws.random() < 0.2 for _ in order]
        self._plan = list(zip(places, order, at_start, strict=True))
        self._draws = draws
        self._loader = loader
        self._place = 0
        self._moved = threading.Condition()
        self.killed: dict[int, float] = {}
        self.stages: Counter[str] = Counter()

    def passed(self, place: int) -> None:
        """The stream has come so far."""
        with self._moved:
            self._place = place
            self._moved.notify()

    def run(self) -> None:
        for place, worker, at_start in self._plan:
            with self._moved:
                if not self._moved.wait_for(lambda place=place: self._place >= place, PATIENCE):
                    return
            if not at_start:
                time.sleep(self._draws.uniform(0, 0.03))
            self._kill(worker)

    def _kill(self, worker: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            doing = self._loader.workers()[worker]
            if doing.pid and doing.pid not in self.killed:
                with contextlib.suppress(ProcessLookupError):
                    self.stages[doing.stage] += 1
                    self.killed[doing.pid] = time.time()
                    os.kill(doing.pid, signal.SIGKILL)
                return
            time.sleep(0.001)


def run(workers: int, samples: int, each: int = 0, ms: float = 0, seed: int = 0) -> dict[str, Any]:
    """Return what came of one run: hash, values, and (in seconds) how late each death was noticed."""
    import loader_parts as parts

    dataset = create(parts.Numbers, size=samples)
    worker = parts.Echo(ms=ms)
    values: Counter[int] = Counter()
    with Notices() as notices, TurboDataLoader(dataset, 16, worker, workers, shuffle=True, seed=seed) as loader:
        killer = Killer(loader, workers, each, samples, seed)
        killer.start()
        began, hashes = time.monotonic(), []
        for _, (batch,) in loader:
            values.update(batch["value"][:, 0].tolist())
            killer.passed(values.total())
            hashes.append(digest([batch]))
        seconds = time.monotonic() - began
        killer.join()
        left = time.monotonic() + 5
        while killer.killed.keys() - notices.times.keys() and time.monotonic() < left:
            time.sleep(0.01)
    return {
        "hash": digest([{"hashes": hashes}]),
        "lost": samples - len(values),
        "duplicated": values.total() - len(values),
        "kills": len(killer.killed),
        "killed_while": dict(killer.stages),
        "unnoticed": len(killer.killed.keys() - notices.times.keys()),
        "latencies": [notices.times[pid] - when for pid, when in killer.killed.items() if pid in notices.times],
        "seconds": round(seconds, 1),
    }


def measure(workers: int = 4, each: int = 25, samples: int = 10_000, ms: float = 6, seed: int = 0) -> Shown:
    undisturbed = run(workers, samples, seed=seed)
    found = run(workers, samples, each, ms, seed)
    late = quantiles(found.pop("latencies"))
    undisturbed.pop("latencies")
    same = found["hash"] == undisturbed["hash"]
    whole = not found["lost"] and not found["duplicated"] and found["kills"] == workers * each
    rows = [
        Row(
            f"SIGKILL of each of {workers} workers {each} times while {samples:,} samples are made",
            "0 lost, 0 duplicated, the undisturbed hash",
            f"{found['kills']} kills ({found['killed_while'].get('start', 0)} while starting), {found['lost']} lost, "
            f"{found['duplicated']} duplicated, hash {'equal' if same else 'DIFFERENT'}, {found['seconds']} s",
            same and whole and not found["unnoticed"],
        ),
        Row(
            "from the kill until the replacement is ordered",
            "p99 < 0.1 s, max < 1 s",
            ", ".join(f"{name} {seconds:.3f} s" for name, seconds in late.items()),
            None if not late else late["p99"] < 0.1 and late["max"] < 1,
        ),
    ]
    return Shown("kills", rows, {"disturbed": found, "undisturbed": undisturbed, "latency_s": late})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--each", type=int, default=25, help="kills of each worker")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--ms", type=float, default=6, help="of work for each sample")
    parser.add_argument("--seed", type=int, default=0)
    present(measure(**vars(parser.parse_args())))
