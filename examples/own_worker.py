"""A worker of one's own, run in two processes: the grey-value histogram of each handwritten digit.

    python examples/own_worker.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leaven import BufferWorker, TurboDataLoader
from leaven.protocols import Decoder


class Histogram(BufferWorker):
    """Fills ``histogram``, float32 ``(rows, bins)``: the share of pixels in each range of values.

    Args:
        bins: number of equal ranges of the values 0 to 255.
        decoder: what reads the samples' ``image``.
    """

    def __init__(self, bins: int = 8, decoder: Decoder | str = "opencv") -> None:
        self.bins = bins
        self.decoder: Any = decoder
        self.add_buffer("histogram", ((bins,), "float32"))

    def prepare(self, sample: Any, row: Any, buffers: Any) -> None:
        """Fill one row."""
        pixels = self.decoder.decode(sample["image"], color=False).image
        buffers["histogram"][:] = np.histogram(pixels, self.bins, (0, 256))[0] / pixels.size
        row.append("label", int(sample["label"]))


def main() -> None:
    """Print the mean histogram of each digit."""
    total, count = np.zeros((10, 8)), np.zeros(10, int)
    with TurboDataLoader("dataset:digits", 100, Histogram(), nworkers=2) as loader:
        for _, mini_batches in loader:
            for sample in mini_batches:
                np.add.at(total, sample["label"], sample["histogram"])
                np.add.at(count, sample["label"], 1)
    for digit, (shares, images) in enumerate(zip(total / count[:, None], count, strict=True)):
        print(digit, f"{images:4d} images ", " ".join(f"{share:4.0%}" for share in shares))


if __name__ == "__main__":
    main()
