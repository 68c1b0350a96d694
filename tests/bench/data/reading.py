"""What reading samples at random costs: of 1 kB and of 90 kB, labels alone, and an index of 10^8 samples.

    python tests/bench/data/reading.py [--large]

prints a table. What counts is processor time, and ratios within one run: machines do other things as well. The other
reader is datadings' where that is installed, else its way to read: a seek and a read of an unbuffered file for each
sample, with all offsets in a list. ``--large`` adds the index of 10^8 samples, whose files take 1.7 GB for a moment.
"""

from __future__ import annotations

import argparse
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leaven.data import getters
from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset

ROUNDS = 5
SMALL, LARGE = 960, 90_000
COUNT = 10**8
OPENING = """
import re, sys, time
from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset
def resident():
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024
before, start = resident(), time.perf_counter()
dataset = MsgpackDataset(sys.argv[1])
assert len(dataset) == 10**8 and len(dataset.sample(5 * 10**7)) == 1
print(time.perf_counter() - start, before, resident())
"""


class Seeking:
    """The way in which datadings 3.4 reads."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb", 0)  # noqa: SIM115 - closed by close()
        self._offsets = np.fromfile(path.with_name(path.name + ".offsets"), ">u8").tolist()

    def get(self, index: int) -> bytes:
        """Return a message."""
        offset = self._offsets[index]
        nbytes = self._offsets[index + 1] - offset
        self._file.seek(offset, 0)
        return self._file.read(nbytes)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def other_reader(path: Path) -> tuple[str, Callable[[int], Any], Callable[[], None]]:
    """Return name, function and end of the reader that is compared with."""
    try:
        from datadings.reader import MsgpackReader
    except ImportError:
        seeking = Seeking(path)
        return "seek and read", seeking.get, seeking.close
    reader = MsgpackReader(path)
    return "datadings", lambda index: reader.get(index, raw=True), reader._close


def microseconds(read: Callable[[int], Any], indices: Sequence[int]) -> float:
    """Return the processor's time for one sample, that of an empty loop left out."""
    start = time.process_time()
    for index in indices:
        read(index)
    spent = time.process_time() - start
    start = time.process_time()
    for _ in indices:
        pass
    return (spent - (time.process_time() - start)) / len(indices) * 1e6


def alternating(readers: Mapping[str, Callable[[int], Any]], indices: Sequence[int]) -> dict[str, float]:
    """Return the least time of each, as they take turns."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(ROUNDS):
        for name, read in readers.items():
            best[name] = min(best[name], microseconds(read, indices))
    return best


def written(folder: Path, count: int, nbytes: int) -> Path:
    """Write a dataset of noise, and return where it is."""
    path = folder / f"{nbytes}.msgpack"
    draws = random.Random(nbytes)
    MsgpackDataset.write(
        path, ({"key": str(n), "image": draws.randbytes(nbytes), "label": n % 1000} for n in range(count))
    )
    return path


def small_samples(folder: Path) -> None:
    path, draws = written(folder, 100_000, SMALL), random.Random(0)
    name, get, close = other_reader(path)
    plain, mapped = MsgpackDataset(path), MsgpackDataset(path, mapped=True)
    readers = {name: get, "leaven": plain.sample, "leaven, mapped": mapped.sample}
    times = alternating(readers, [draws.randrange(100_000) for _ in range(100_000)])
    for reader, spent in times.items():
        show(
            f"1 kB at random: {reader}",
            f"{spent:.2f} us",
            f"{1e6 / spent:,.0f} /s, {times[name] / spent:.1f}x of {name}",
        )
    close()
    plain.close()
    mapped.close()


def large_samples(folder: Path) -> None:
    path, draws = written(folder, 1500, LARGE), random.Random(0)
    content, plain, mapped = path.read_bytes(), MsgpackDataset(path), MsgpackDataset(path, mapped=True)
    step = len(content) // 1500
    readers = {
        "a copy in memory": lambda index: content[index * step : (index + 1) * step],
        "leaven": plain.sample,
        "leaven, mapped": mapped.sample,
    }
    times = alternating(readers, [draws.randrange(1500) for _ in range(5000)])
    for reader, spent in times.items():
        share = times["a copy in memory"] / spent
        show(f"90 kB at random: {reader}", f"{spent:.2f} us", f"{LARGE / spent / 1000:.1f} GB/s, {share:.2f} of a copy")
    plain._columns = False
    spent = microseconds(plain.getitem_label, range(1500))
    show("90 kB: label, without columns", f"{spent:.2f} us", "the image is not read")
    plain.close()
    mapped.close()


def labels(folder: Path) -> None:
    path = folder / "labels.msgpack"
    MsgpackDataset.write(path, ({"key": str(n), "label": n % 1000} for n in range(10**6)))
    dataset = MsgpackDataset(path)
    start = time.process_time()
    found = getters.labels(dataset)
    show("labels of 10^6 samples at once", f"{time.process_time() - start:.3f} s", f"{found.nbytes / 1e6:.0f} MB")
    start = time.process_time()
    for index in range(10**6):
        dataset.getitem_label(index)
    show("labels of 10^6 samples one by one", f"{time.process_time() - start:.3f} s", "at most 2 s")
    dataset.close()


def large_index(folder: Path) -> None:
    """Write an index of 10^8 samples of one byte, whose data file is a hole, and open it in a fresh process."""
    path = folder / "index.msgpack"
    with open(path, "wb") as file:
        file.truncate(COUNT)
    with open(path.with_name("index.msgpack.offsets"), "wb") as file:
        for start in range(0, COUNT + 1, 10**6):
            np.arange(start, min(COUNT + 1, start + 10**6)).astype(">u8").tofile(file)
    with open(path.with_name("index.msgpack.keys"), "wb") as file:
        file.write(b"\xdd" + struct.pack(">I", COUNT))
        for start in range(0, COUNT, 10**6):
            file.write(b"".join(b"\xa8%08d" % n for n in range(start, start + 10**6)))
    found = subprocess.run([sys.executable, "-c", OPENING, str(path)], capture_output=True, text=True, check=True)
    seconds, before, after = map(float, found.stdout.split())
    show(
        "opening an index of 10^8 samples",
        f"{seconds:.4f} s",
        f"{after:.0f} MB resident, {after - before:.0f} more than before",
    )


def show(what: str, found: str, remark: str) -> None:
    """Print a row."""
    print(f"{what:40s} {found:>12s}   {remark}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small_samples(folder)
        large_samples(folder)
        labels(folder)
        if asked.large:
            large_index(folder)


if __name__ == "__main__":
    main()
