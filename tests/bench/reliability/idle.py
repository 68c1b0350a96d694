"""What does nothing but write one byte of each cache line: leaven's worker, and torch's dataset."""

from __future__ import annotations

import numpy as np
from ring import SHAPE, touch

from leaven import Worker
from leaven.stream.buffers import buffer_spec


class Idle(Worker):
    """Writes the batch's array where it lies."""

    def __init__(self) -> None:
        pass

    @property
    def buffers(self):
        return {"data": buffer_spec((SHAPE[1:], "uint8", None))}

    def process(self, request):
        touch(request.arrays["data"], request.position % 256)
        return request.arrays


class Blank:
    """A dataset whose samples are empty."""

    def __init__(self, size: int):
        self.size = size

    def __len__(self):
        return self.size

    def sample(self, index):
        return b""

    def key(self, index):
        return ""

    def close(self):
        pass


class Batches:
    """A dataset of whole batches, for torch's DataLoader."""

    def __len__(self):
        return 1000

    def __getitem__(self, index):
        batch = np.empty(SHAPE, "uint8")
        touch(batch, index % 256)
        return batch
