"""What packing costs: images made smaller by `leaven.pack`, against the same calls of OpenCV in two bare processes.

Both take turns. What counts is processor time, of all processes together, since a machine that does other things as
well has no use for a stopwatch; seconds are printed too.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np

from leaven.data.pack import pack
from leaven.stream.wire import pack_sample, unpack_sample
from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset
from leaven_plugins.photos.shipped import photo

WORKERS = 2
SIDE, QUALITY = 256, 95


class Cost(NamedTuple):
    """Seconds of the processor, and of the clock."""

    cpu: float
    wall: float


def corpus(path: Path, count: int) -> None:
    """Write JPEGs of 500 x 400 pixels or so, as those of ImageNet are."""
    cat = cv2.imdecode(np.frombuffer(photo("chelsea"), np.uint8), cv2.IMREAD_COLOR)
    large = cv2.resize(cat, (640, 480), interpolation=cv2.INTER_CUBIC)

    def sample(number: int) -> dict[str, object]:
        top, left = np.random.default_rng(number).integers(0, 80, 2)
        image = large[top : top + 400, left : left + 500]
        return {"key": str(number), "image": cv2.imencode(".jpg", image)[1].tobytes(), "label": number % 10}

    MsgpackDataset.write(path, map(sample, range(count)))


def bare(source: Path, target: Path, part: int) -> None:
    """Do every second image: read, decode, shrink, encode, write."""
    dataset = MsgpackDataset(source)
    with open(target, "wb") as file:
        for index in range(part, len(dataset), WORKERS):
            sample = unpack_sample(dataset.sample(index))
            image = cv2.imdecode(
                np.frombuffer(sample["image"], np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
            )
            height, width = image.shape[:2]
            scale = SIDE / min(height, width)
            size = round(width * scale), round(height * scale)
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            sample["image"] = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
            file.write(pack_sample(sample))


def by_hand(source: Path, folder: Path) -> None:
    """Run the bare loop in processes of its own."""
    command = [sys.executable, __file__, "--bare", str(source), str(folder)]
    running = [subprocess.Popen([*command, str(part)]) for part in range(WORKERS)]
    assert [process.wait() for process in running] == [0] * WORKERS


def by_leaven(source: Path, folder: Path) -> None:
    """Do the same, resumably, and put it all into one file."""
    pack(source, folder / "x.msgpack", resize=SIDE, quality=QUALITY, workers=WORKERS)


def cost(run: Callable[[Path, Path], None], source: Path) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        before, start = _cpu(), time.monotonic()
        run(source, Path(folder))
        return Cost(_cpu() - before, time.monotonic() - start)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--bare", nargs=3, metavar=("SOURCE", "FOLDER", "PART"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    if asked.bare:
        bare(Path(asked.bare[0]), Path(asked.bare[1]) / asked.bare[2], int(asked.bare[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.msgpack"
        corpus(source, asked.images)
        costs = [(cost(by_leaven, source), cost(by_hand, source)) for _ in range(asked.turns)]
    for ours, theirs in costs:
        print(f"leaven {ours.cpu:6.2f} s CPU {ours.wall:6.2f} s   bare {theirs.cpu:6.2f} s CPU {theirs.wall:6.2f} s")
    ratio = median(theirs.cpu / ours.cpu for ours, theirs in costs)
    rate = asked.images / median(ours.wall for ours, _ in costs)
    print(f"{ratio:.2f} of what the bare loop does in a second of the processor; {rate:.0f} images/s by the clock")


if __name__ == "__main__":
    main()
