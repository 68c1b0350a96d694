"""What workers count reaches the loader, whatever they count with."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from loader_parts import Echo, Numbers

import leaven


class Counting(Echo):
    """Says how many rows it has filled, in numpy's numbers."""

    rows = 0

    def prepare(self, sample, row, buffers):
        super().prepare(sample, row, buffers)
        self.rows += 1

    def tally(self):
        counts, self.rows = {"rows": np.int64(self.rows), np.str_("calls"): True}, 0
        return counts


class Silent(Echo):
    """Has nothing to say."""

    def tally(self):
        return None


class Otherwise(Echo):
    """Uses the name for something else."""

    tally = 7


@pytest.mark.parametrize(
    ("worker", "counts"), [(Counting, {"rows": 10, "calls": 3}), (Silent, {}), (Otherwise, {}), (Echo, {})]
)
def test_counts_add_up(worker, counts):
    with leaven.TurboDataLoader(Numbers(10), 4, worker(), nworkers=0) as loader:
        assert len(list(loader)) == 3
        assert loader.counts == Counter(counts)
