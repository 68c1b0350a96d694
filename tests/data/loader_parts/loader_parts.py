"""Datasets and workers for the loader's tests, which put this folder on the path of their worker processes."""

from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np

from leaven import BufferWorker, Worker
from leaven.stream.wire import pack_sample


class Numbers:
    """Sample ``i`` is ``{"key": "n<i>", "value": i}``; ``bad`` is an index at which reading fails."""

    def __init__(self, size: int = 10, bad: int = -1):
        self.size = size
        self.bad = bad

    def __len__(self):
        return self.size

    def sample(self, index):
        if index == self.bad:
            raise OSError("the disk is on fire")
        return pack_sample({"key": self.key(index), "value": index})

    def key(self, index):
        return f"n{index}"

    def close(self):
        pass


class Echo(BufferWorker):
    """Copies the value, and one random number of the row's own; may fail, die or dawdle at a value."""

    def __init__(self, fail_at: int = -1, kill_at: int = -1, exit_at: int = -1, slow_at: int = -1, ms: float = 0):
        self.fail_at = fail_at
        self.kill_at = kill_at
        self.exit_at = exit_at
        self.slow_at = slow_at
        self.ms = ms
        self.add_buffer("value", ((2,), "int64", -1))
        self.add_buffer("noise", ((3,), "float64"))

    def prepare(self, sample, row, buffers):
        value = sample["value"]
        if value == self.fail_at:
            raise ValueError(f"cannot stand {value}")
        if value == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if value == self.exit_at:
            os._exit(3)
        if value == self.slow_at:
            time.sleep(3600)
        if self.ms:
            time.sleep(self.ms / 1000)
        buffers["value"][0] = value
        buffers["noise"][:] = row.random.random(3)
        row.append("key", row.key)
        row.append("pid", os.getpid())


class Unruly(BufferWorker):
    """Breaks in ``how``: in ``setup``, by printing, with lists that are too short or hold what cannot travel."""

    def __init__(self, how: str):
        self.how = how
        self.add_buffer("value", ((1,), "int64"))

    def setup(self):
        if self.how == "setup":
            raise RuntimeError("no key in the lock")
        if self.how == "exit":
            print("I am leaving", file=sys.stderr, flush=True)
            os._exit(0)

    def prepare(self, sample, row, buffers):
        buffers["value"][0] = sample["value"]
        if self.how == "print":
            print("hello from the worker", flush=True)
        if self.how == "lists" and sample["value"] % 2:
            row.append("odd", True)
        if self.how == "object":
            row.append("thing", object())
        if self.how == "surrogate":
            raise ValueError("bad \udcff name")
        if self.how == "stop":
            raise StopIteration


class Cancelled(BaseException):
    """What is no Exception."""


class Textless(Exception):
    """What has no text."""

    def __str__(self):
        raise RuntimeError("no text")


class Odd(Worker):
    """Raises what one does not expect."""

    def __init__(self, how: str):
        self.how = how

    def process(self, request):
        raise Cancelled("now") if self.how == "base" else Textless


class Counts(Worker):
    """As many batches for each request as its first sample's value says."""

    def process(self, request):
        values = [item.index for item in request.samples]
        if self.arguments.get("none"):
            return None
        return ({"values": np.array(values), "part": part} for part in range(values[0]))

    def __init__(self, none: bool = False):
        pass


class Nothing(Worker):
    """A batch with an entry that is None."""

    def __init__(self):
        pass

    def process(self, request):
        return {"indices": [item.index for item in request.samples], "nothing": None}


class Mix:
    """Adds to each value that of another row, and tells with which."""

    def collate(self, batch, random):
        partner = random.permutation(len(batch["value"]))
        batch["value"][:, 1] = batch["value"][partner, 0]
        return batch | {"partner": partner, "share": np.full(len(partner), 0.5, "float32")}
