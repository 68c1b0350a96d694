"""Samples in memory, and a decoder that dies while it draws, for workers in processes of their own."""

from __future__ import annotations

import os
import signal
import time

from leaven.protocols import Drawn, ImageInfo


class Listed:
    """Samples in memory."""

    def __init__(self, contents):
        self._contents = contents

    def __len__(self):
        return len(self._contents)

    def sample(self, index):
        return self._contents[index]

    def key(self, index):
        return self._contents[index]["key"]

    def close(self):
        pass


class Deadly:
    """Draws images as native code would, and dies in the middle of the one at ``deadly``."""

    def __init__(self, deadly: int):
        self.deadly = deadly

    def info(self, data):
        return ImageInfo(16, 16, 3)

    def decode(self, data, *, color=True, region=None, min_scale=1.0):
        raise AssertionError("everything is drawn")

    def draw_batch(self, drawings, out, progress=None):
        done = []
        for drawing in drawings:
            if progress is not None:
                progress[0], progress[2] = drawing.sample + 1, time.monotonic_ns()
            if drawing.sample == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            out[drawing.row] = drawing.sample
            done.append(Drawn(0))
        return done
