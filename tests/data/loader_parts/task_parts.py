"""Functions and classes that tests have run in processes."""

from __future__ import annotations

import enum
import os
import random as python_random
import signal
import threading
import time
from collections import namedtuple
from pathlib import Path

import numpy as np

Point = namedtuple("Point", "x y")
DRAWN = []  # the threads in which a source was asked for indices
Color = enum.Enum("Color", "RED GREEN")


class OddError(Exception):
    """Takes something else than what it keeps."""

    def __init__(self, number):
        super().__init__(f"number {number + 1}")


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class UncopiedError(Exception):
    def __reduce__(self):
        raise RuntimeError("no copy")


class UntoldError(Exception):
    def __init__(self, *args):
        super().__init__(*args)
        if not args:
            raise RuntimeError("not without words")

    @property
    def __notes__(self):
        raise RuntimeError("no notes")

    def __reduce__(self):
        return UntoldError, ()


class Secretive:
    def __getstate__(self):
        raise RuntimeError("no state")


def fail_secretively():
    raise ValueError(Secretive())


class Plain:
    """Whatever attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __eq__(self, other):
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None


class Slotted:
    __slots__ = ("__dict__", "first", "second")

    def __init__(self, first):
        self.first = first
        self.more = first

    def get(self):
        return self.first, self.more, hasattr(self, "second")


class Stateful:
    def __init__(self, size):
        self.size = size
        self.lock = threading.Lock()

    def __getstate__(self):
        return {"size": self.size}

    def __setstate__(self, state):
        self.size, self.lock = state["size"], None

    def get(self):
        return self.size, self.lock


class Choosy:
    def __setstate__(self, state):
        raise ZeroDivisionError

    def __getstate__(self):
        return 1


class Data:
    scale = 10

    def __init__(self, size):
        self.values = np.arange(size, dtype=np.float64)

    def batch(self, count, factor=1):
        return self.values[:count] * factor

    def writeable(self):
        return bool(self.values.flags.writeable)

    @classmethod
    def scaled(cls, value):
        return value * cls.scale

    @staticmethod
    def doubled(value):
        return value * 2

    def __call__(self, value):
        return value + len(self.values)


class Source:
    """A source with random access whose index 5 fails where asked for."""

    def __init__(self, size, fails=False):
        self.size = size
        self.fails = fails

    def batch_indices_iterator(self, batch_size, shuffle=None):
        order = np.arange(self.size) if shuffle is None else shuffle.permutation(self.size)
        for first in range(0, self.size, batch_size):
            DRAWN.append(threading.current_thread())
            yield order[first : first + batch_size]

    def samples_by_indices(self, indices):
        raise AssertionError("these indices are mapped already")

    def samples_by_indices_nomapping(self, indices):
        if self.fails and 5 in indices:
            raise ValueError("no sample 5")
        time.sleep(0.002 * (int(indices[0]) % 3))
        return indices, indices * 2


def echo(*args, **kwargs):
    return args, kwargs


def double(value):
    return value * 2


def nothing():
    return None


def pid():
    return os.getpid()


def fail(kind, *args):
    raise kind(*args)


def fail_every_third(path):
    """Count the runs in a file."""
    with open(path, "a") as file:
        file.write("x")
        if file.tell() % 3 == 0:
            raise ValueError(f"run {file.tell()}")
        return np.array([file.tell()])


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(path, value):
    """End the process unless another one has done so before."""
    if not Path(path).exists():
        Path(path).touch()
        os._exit(3)
    return value


def fill(arrays, value):
    for array in arrays:
        array[...] = value


def add_and_die_once(arrays, path):
    arrays[0][...] += 1
    return die_once(path, None)


def wait_for(path, value):
    while not Path(path).exists():
        time.sleep(0.01)
    return value


def sleep(seconds=3600):
    time.sleep(seconds)
    return 0.0


def mean(values):
    return float(values.mean())


def identity(value):
    return id(value)


def noise(random):
    return random.random(4)


def global_noise():
    return np.random.rand(2), np.array([python_random.random()])


def changing(path):
    """Return another shape in the second run."""
    with open(path, "a") as file:
        file.write("x")
        return np.zeros(file.tell() + (file.tell() == 2), np.float32)[: 1 + (file.tell() == 2)]


def first(value):
    return (value,)
