"""What caches cost: the time of an access, and the memory of two workers that have all samples of a set.

``python tests/bench/data/shared_cache.py`` takes about 20 seconds, and prints two tables. Times are the medians of
rounds in which all caches take turns, so that whatever else the machine does hits all of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from leaven import TurboDataLoader, create
from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "data" / "loader_parts")]  # worker processes find the parts there, too

SIZES = (1_000, 100_000)
ENTRIES, ROUNDS = 100, 20


def value(number: int, nbytes: int) -> bytes:
    """Return bytes that no file system and no codec makes smaller."""
    return (number.to_bytes(8, "little") * 13 + os.urandom(24))[:128] * (nbytes // 128 + 1)


@contextmanager
def accesses(nbytes: int) -> Iterator[dict[str, Callable[[int], Any]]]:
    """Context with a function for each way to get one of the values."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        tables: dict[str, Mapping[str, Any]] = {
            "memory": {"use": "memory"},
            "shared": {"use": "shared", "budget": "64MiB"},
            "disk": {"use": "disk", "folder": f"{folder}/kept"},
            "redis": {"use": "redis", "unix_socket": f"{folder}/socket", "start_if_not_running": True},
        }
        ways: dict[str, Callable[[int], Any]] = {}
        values = {str(number): value(number, nbytes) for number in range(ENTRIES)}
        for name, table in tables.items():
            cache = stack.enter_context(closing(create(table, kind="cache")))
            assert all(cache.put(key, content) for key, content in values.items())
            ways[f"cache:{name}"] = lambda number, cache=cache: cache.get(str(number))
        managed = stack.enter_context(multiprocessing.Manager()).dict(values)
        ways["dict of a manager process"] = lambda number: managed[str(number)]
        MsgpackDataset.write(f"{folder}/a.msgpack", ({"key": key, "x": content} for key, content in values.items()))
        dataset = stack.enter_context(closing(MsgpackDataset(f"{folder}/a.msgpack")))
        ways["no cache: msgpack file, in the page cache"] = dataset.sample
        yield ways


def microseconds(ways: Mapping[str, Callable[[int], Any]]) -> dict[str, float]:
    """Return what an access costs, in microseconds."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            for number in range(ENTRIES):
                way(number)
            found[name].append((time.perf_counter() - start) / ENTRIES * 1e6)
    return {name: median(times) for name, times in found.items()}


def memory(cache: str, samples: int, nbytes: int) -> float:
    """Return by how many MB two workers and their parent have grown once each worker has had every sample."""
    with tempfile.TemporaryDirectory() as folder:
        table = {"use": "msgpack", "path": f"{folder}/a.msgpack"}
        content = ({"key": str(n), "value": n, "x": value(n, nbytes)[:nbytes]} for n in range(samples))
        MsgpackDataset.write(f"{folder}/a.msgpack", content)
        dataset = create("dataset:cached", dataset=table, cache={"use": cache, "budget": "1GiB"})
        with closing(dataset), loader(dataset) as batches:
            pids = {os.getpid(), *started(batches)}
            before = sum(map(proportional, pids))
            for _ in range(6):
                for _ in batches:
                    pass
            return (sum(map(proportional, pids)) - before) / 1e6


def loader(dataset: Any) -> TurboDataLoader:
    """Return a loader whose workers read samples and do next to nothing with them."""
    import loader_parts

    return TurboDataLoader(dataset, 4, loader_parts.Echo(), nworkers=2, shuffle=True)


def started(batches: TurboDataLoader) -> list[int]:
    """Return the workers' processes once they are there."""
    while not all(pids := [doing.pid for doing in batches.workers()]):
        time.sleep(0.05)
    time.sleep(1.0)  # in which they import what they need
    return pids


def proportional(pid: int) -> int:
    """Return how many bytes a process has, with those of shared pages divided among all that have them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def main(samples: int) -> None:
    """Print both tables."""
    print("| one access | " + " | ".join(f"{nbytes // 1000} kB, us" for nbytes in SIZES) + " |")
    print("|---|" + "---:|" * len(SIZES))
    columns = []
    for nbytes in SIZES:
        with accesses(nbytes) as ways:
            columns.append(microseconds(ways))
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(f"{column[name]:.1f}" for column in columns) + " |")
    print(f"\n| {samples} samples of 1 MB in two workers | MB more than before |\n|---|---:|")
    for cache in ("memory", "shared"):
        print(f"| cache:{cache} | {memory(cache, samples, 1_000_000):.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=64, help="how many there are for the second table")
    main(parser.parse_args().samples)
