"""One stream, whoever makes it: any number of workers, any transport, resumed anywhere, on any number of ranks."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from showing import Row, Shown, digest, present

from leaven import TurboDataLoader, WorkerPool, create

TRANSPORTS = ("inline", "threads", "zeromq", "tcp")
WORKERS = (0, 1, 2, 4, 7)
RESUMED = {"batch_size": 4, "length": 160}
"""40 batches an epoch, of a dataset that is longer: epochs begin within passes."""


def digits(nworkers: Any, transport: Any, batch_size: int = 20, **options: Any) -> TurboDataLoader:
    """Return a loader of augmented digits."""
    draws = create("rng:mixture", prob=0.5, rotation_sigma=8, brightness_range=(-0.3, 0.3), noise_range=(0.02, 0.08))
    worker = create("worker:classification", image=((1, 24, 24), "uint8"), image_rng=draws)
    return TurboDataLoader(
        "dataset:digits", batch_size, worker, nworkers, seed=3, shuffle=True, transport=transport, **options
    )


def hashes(loader: TurboDataLoader, count: int) -> Iterator[str]:
    """Yield the hashes of the next ``count`` batches, over as many epochs as they take."""

    def batches() -> Iterator[str]:
        while True:
            for _, mini_batches in loader:
                yield digest(mini_batches)

    with contextlib.closing(batches()) as found:
        yield from islice(found, count)


# ---- who makes it


def made_by(transport: str, nworkers: int, batches: int) -> str:
    """Return the hash of the stream as these workers make it; without own workers, tcp has those that join."""
    if transport == "tcp" and nworkers == 0:
        return made_elsewhere(batches)
    with digits(nworkers, transport) as loader:
        return digest([{"hashes": list(hashes(loader, batches))}])


def made_elsewhere(batches: int) -> str:
    """Return the hash of the stream as two workers make it that join over a loopback address."""
    transport = create("transport:tcp")
    with WorkerPool(0, transport) as pool, digits(pool, None) as loader:
        command = [sys.executable, "-m", "leaven", "worker", "--workers", "2", "--connect", transport.endpoint]
        with subprocess.Popen([*command, "--keys", str(transport.run_keys)], stdout=subprocess.DEVNULL) as other:
            try:
                return digest([{"hashes": list(hashes(loader, batches))}])
            finally:
                other.kill()


def by_anybody(batches: int, transports: tuple[str, ...], workers: tuple[int, ...]) -> tuple[Row, dict[str, Any]]:
    found = {
        f"{transport} {count}": made_by(transport, count, batches) for transport in transports for count in workers
    }
    row = Row(
        f"{batches} batches by {', '.join(map(str, workers))} workers over {', '.join(transports)}",
        "one hash",
        f"{len(found)} streams, {len(set(found.values()))} hash{'es' * (len(set(found.values())) > 1)}",
        len(set(found.values())) == 1,
    )
    return row, found


# ---- where it is resumed


def states(positions: int) -> tuple[list[str], list[str]]:
    """Return the hashes of all batches, and the state before each of them, as JSON."""
    with digits(2, "threads", **RESUMED) as loader:
        saved, found = [json.dumps(loader.state_dict())], []
        for one in hashes(loader, positions):
            found.append(one)
            saved.append(json.dumps(loader.state_dict()))
    return found, saved[:positions]


def resumed(state: str, count: int, nworkers: int, transport: str) -> list[str]:
    with digits(nworkers, transport, **RESUMED) as loader:
        loader.load_state_dict(json.loads(state))
        return list(hashes(loader, count))


def from_anywhere(positions: int, by_processes: int, seed: int = 0) -> tuple[Row, dict[str, Any]]:
    whole, saved = states(positions)
    chosen = set(random.Random(seed).sample(range(positions), by_processes))
    wrong = []
    for position, state in enumerate(saved):
        count = positions - position
        ways = [(2, "threads"), *([(3, "zeromq")] if position in chosen else [])]
        wrong += [(position, way) for way in ways if resumed(state, count, *way) != whole[position:]]
    row = Row(
        f"resumed at each of {positions} positions by 2 threads, at {by_processes} of them by 3 processes",
        "the rest is the same",
        f"{positions + by_processes - len(wrong)} of {positions + by_processes} the same",
        not wrong,
    )
    return row, {"resumed": positions + by_processes, "wrong": wrong}


# ---- on how many ranks


def steps(world_size: int, global_batch: int) -> list[list[str]]:
    """Return for each global step the sorted hashes of its samples, over one epoch."""
    ranks = []
    for rank in range(world_size):
        with digits(1, "threads", global_batch // world_size, rank=rank, world_size=world_size) as loader:
            ranks.append([sample for _, (sample,) in loader])
    return [sorted(one for batch in step for one in samples(batch)) for step in zip(*ranks, strict=True)]


def samples(batch: dict[str, Any]) -> Iterator[str]:
    """Yield a hash of each row that holds a sample."""
    for row in range(len(batch["image"])):
        if "valid" not in batch or batch["valid"][row]:
            yield digest([{key: batch[key][row] for key in ("image", "label", "augmentation")}])


def on_any_ranks(world_sizes: tuple[int, ...] = (1, 2, 4), global_batch: int = 64) -> tuple[Row, dict[str, Any]]:
    found = {world_size: steps(world_size, global_batch) for world_size in world_sizes}
    alone = found[world_sizes[0]]
    row = Row(
        f"world sizes {', '.join(map(str, world_sizes))}, global batch {global_batch}",
        "the same samples at each global step",
        f"{len(alone)} steps, {sum(map(len, alone)):,} samples, "
        f"{'the same' if all(each == alone for each in found.values()) else 'DIFFERENT'}",
        all(each == alone for each in found.values()),
    )
    return row, {"steps": len(alone), "samples": sum(map(len, alone))}


def measure(batches: int = 100, positions: int = 200, by_processes: int = 10) -> Shown:
    began = time.monotonic()
    who, streams = by_anybody(batches, TRANSPORTS, WORKERS)
    where, resumes = from_anywhere(positions, by_processes)
    ranks, worlds = on_any_ranks()
    figures = {"streams": streams, **resumes, "worlds": worlds, "seconds": round(time.monotonic() - began, 1)}
    return Shown("hashes", [who, where, ranks], figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--positions", type=int, default=200)
    parser.add_argument("--by-processes", type=int, default=10, help="positions that processes resume at as well")
    present(measure(**vars(parser.parse_args())))
