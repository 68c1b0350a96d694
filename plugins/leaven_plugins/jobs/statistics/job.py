"""Statistics: sizes, classes, mean and deviation of the pixels of a dataset, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaven.errors import DecodeError, ParameterError, SampleError
from leaven.protocols import Dataset
from leaven_plugins.datasets.reading import read_sample
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.jobs.cutting import Cut
from leaven_plugins.jobs.statistics.sums import Sums


@dataclass(frozen=True)
class Statistics:
    """What the images of a dataset are like, and which labels there are.

    Sums are whole numbers, so that the result is the same however the dataset is cut, and to the last bit.

    Args:
        dataset: the samples; an ``image`` is an encoded file, an array of uint8, or a list of these.
        block: how many samples are looked at at a time.

    Raises:
        ParameterError: ``block`` is not at least 1.
    """

    dataset: Dataset
    block: int = 256

    def __post_init__(self) -> None:
        if type(self.block) is not int or self.block < 1:
            raise ParameterError(f"block={self.block!r}: expected a whole number, at least 1")

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return Cut(len(self.dataset), self.block).blocks

    def run(self, block: int, folder: Path) -> Mapping[str, Any]:
        """Return the sums of a block; nothing is written.

        Raises:
            SampleError: a sample cannot be read, or its image cannot be decoded.
        """
        sums, decoder = Sums(), OpenCVDecoder()
        for row in Cut(len(self.dataset), self.block).rows(block):
            fields, _, _ = read_sample(self.dataset, row)
            try:
                sums.add(fields, decoder)
            except DecodeError as error:
                key = self.dataset.key(row)
                raise SampleError(str(error), index=row, key=key, stage="decode", cause_type="DecodeError") from error
        return sums.to_plain()

    def summary(self, manifests: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what the sums of all blocks come to.

        Keys: ``samples``, ``images``, ``pixels``, ``mean`` and ``std`` (of red, green and blue over all pixels, 0 to 1;
        null without images), ``height`` and ``width`` (smallest and largest; null without images), ``classes`` (label
        -> how many samples have it).
        """
        total = Sums()
        for manifest in manifests:
            total.merge(Sums.from_plain(manifest))
        return total.summary()
