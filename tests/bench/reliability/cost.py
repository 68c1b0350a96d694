"""What delivery costs: workers that do nothing, against a bare ring of shared memory, and against torch's DataLoader.

All take turns within one run, so that whatever else the machine does hits all of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from statistics import median
from typing import Any, NamedTuple

import ring
from ring import SHAPE, look
from showing import Row, Shown, present

from leaven import TurboDataLoader, create

WORKERS = 2
WARM_UP = 20  # batches that lie ready when a turn begins, and some more
SPINS = (0, 200, 1000, 5000)  # microseconds

Between = Callable[[Any], None]


class Turns(NamedTuple):
    """Batches per second of each contender, turn by turn."""

    rates: dict[str, list[float]]

    def median(self, name: str) -> float:
        return median(self.rates[name])

    def ratio(self, name: str, to: str) -> float:
        return median(one / other for one, other in zip(self.rates[name], self.rates[to], strict=True))


def leaven_batches() -> tuple[Iterator[Any], Callable[[], None]]:
    from idle import Blank, Idle

    dataset = create(Blank, size=64 * 1000)
    loader = TurboDataLoader(dataset, SHAPE[0], Idle(), WORKERS, endless=True)
    return (sample["data"] for _, (sample,) in loader), loader.close


def ring_batches() -> tuple[Iterator[Any], Callable[[], None]]:
    bare = ring.Ring(WORKERS)
    return iter(bare), bare.close


def torch_batches() -> tuple[Iterator[Any], Callable[[], None]]:
    """Whole batches from the dataset, which is the faster of torch's ways."""
    from idle import Batches
    from torch.utils.data import DataLoader

    loader = DataLoader(Batches(), batch_size=None, num_workers=WORKERS, persistent_workers=True)
    batches = (batch.numpy() for batch in chain.from_iterable(loader for _ in range(1 << 30)))
    return batches, lambda: loader._iterator._shutdown_workers()  # type: ignore[union-attr]


CONTENDERS = {"leaven": leaven_batches, "ring": ring_batches, "torch": torch_batches}


def rate(batches: Iterator[Any], count: int, between: Between) -> float:
    """Return batches per second, with what the consumer does between them."""
    for batch in islice(batches, WARM_UP):
        look(batch)
    began = time.perf_counter()
    for batch in islice(batches, count):
        look(batch)
        between(batch)
    return count / (time.perf_counter() - began)


def turns(counts: dict[str, int], rounds: int, between: Between = lambda batch: None) -> Turns:
    """Let the contenders take ``rounds`` turns of so many batches each."""
    opened = {name: CONTENDERS[name]() for name in counts}
    try:
        found: dict[str, list[float]] = {name: [] for name in counts}
        for _ in range(rounds):
            for name, count in counts.items():
                found[name].append(rate(opened[name][0], count, between))
        return Turns(found)
    finally:
        for _, close in opened.values():
            close()


def spinning(microseconds: int) -> Between:
    """Return a consumer that runs Python code for so long, and does not let go of the interpreter by itself."""

    def spin(batch: Any) -> None:
        end = time.perf_counter() + microseconds / 1e6
        while time.perf_counter() < end:
            pass

    return spin


def training() -> Between:
    """Return a consumer that trains a small network with one thread, on 16 images of 56 x 56 of each batch."""
    import torch

    torch.set_num_threads(1)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 5, 2), torch.nn.ReLU(), torch.nn.Conv2d(16, 32, 5, 2), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.LazyLinear(10),
    )  # fmt: skip
    network(torch.zeros(1, 3, 56, 56))
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    labels = torch.arange(16) % 10

    def step(batch: Any) -> None:
        images = torch.from_numpy(batch[:16, :, ::4, ::4].astype("float32") / 255)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()

    return step


def idle_consumer(rounds: int, count: int) -> tuple[Row, dict[str, Any]]:
    found = turns({"leaven": count, "ring": count, "torch": max(10, count // 8)}, rounds)
    ratio = found.ratio("leaven", "ring")
    rates = {name: found.median(name) for name in found.rates}
    row = Row(
        f"batches of {'x'.join(map(str, SHAPE))} bytes, {WORKERS} workers that do nothing, a byte of each cache line "
        "written and read",
        ">= 0.8 of a bare ring",
        f"{rates['leaven']:,.0f}/s = {ratio:.2f} of the ring's {rates['ring']:,.0f}/s, "
        f"{found.ratio('leaven', 'torch'):.1f} times torch's {rates['torch']:,.0f}/s",
        ratio >= 0.8,
    )
    return row, {"rates": rates, "ratio_to_ring": ratio, "ratio_to_torch": found.ratio("leaven", "torch")}


def busy_consumer(rounds: int, count: int) -> tuple[list[Row], dict[str, Any]]:
    rows, figures = [], {}
    jobs = {f"runs Python for {spin} us": (spinning(spin), spin) for spin in SPINS if spin}
    for what, (between, cost) in {**jobs, "trains a small network": (training(), 5000)}.items():
        turn = max(20, min(count, int(0.4e6 / (cost + 500))))
        found = turns({"leaven": turn, "ring": turn}, rounds, between)
        figures[what] = {name: found.median(name) for name in found.rates} | {"ratio": found.ratio("leaven", "ring")}
        text = f"{found.median('leaven'):,.0f} batches/s, {found.ratio('leaven', 'ring'):.2f} of the ring's"
        rows.append(Row(f"the same, while the consumer {what} between batches", "the loader keeps up", text, None))
    return rows, figures


def measure(rounds: int = 7, count: int = 400) -> Shown:
    idle, rates = idle_consumer(rounds, count)
    busy, more = busy_consumer(rounds, count)
    return Shown("cost", [idle, *busy], {"idle": rates, **more})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=400, help="batches in one turn")
    present(measure(**vars(parser.parse_args())))
