"""What a runner is asked to do."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..works import WORKS, Work


@dataclass(frozen=True)
class Request:
    """One run of one peer.

    Attributes:
        work: name of the work.
        corpus: folder of the corpus.
        count: number of its images; each has its position as label.
        workers: processes or threads that make batches.
        batch_size: images in a batch.
        seconds: how long batches are counted, at least.
        least_batches: that are taken before.
        seed: of order and augmentation.
        keep: of so many images, the first ones, the pixels are wanted.
        packages: whose versions are wanted.
        options: of this peer.
    """

    work: str
    corpus: str
    count: int
    workers: int
    batch_size: int
    seconds: float
    least_batches: int
    seed: int = 0
    keep: int = 0
    packages: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def what(self) -> Work:
        """The work."""
        return WORKS[self.work]

    @property
    def files(self) -> list[str]:
        """Paths of the images, by position."""
        return [str(Path(self.corpus, "images", name_of(position))) for position in range(self.count)]

    def positions(self) -> Iterator[int]:
        """Yield positions without end, in a new order for each pass over the images."""
        random = np.random.default_rng(self.seed)
        while True:
            yield from random.permutation(self.count).tolist()

    def write(self, path: Path) -> None:
        """Write it for :meth:`read`."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Request:
        """Return what :meth:`write` has written."""
        return cls(**json.loads(path.read_text()))


def name_of(position: int) -> str:
    """Return the name of the file of an image."""
    return f"{position:06d}.jpg"
