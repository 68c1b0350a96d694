"""The way to a CUDA device, with a stand-in for what CUDA does at its own time."""

from __future__ import annotations

import gc
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from leaven import TurboDataLoader
from leaven.stream.arena import Arena
from leaven_plugins.devices.tensors import tensor_of
from leaven_plugins.feeds.torch.feed import TorchFeed
from leaven_plugins.feeds.torch.locking import Locks, mapping_of
from leaven_plugins.feeds.torch.routes import Direct, SideStream

CPU = torch.device("cpu")


class Event:
    """Something on the side stream, which is ``done`` when the test says so."""

    def __init__(self, notes):
        self.done = False
        self.notes = notes

    def query(self):
        return self.done

    def synchronize(self):
        self.notes.append("synchronize")
        self.done = True


class Streams:
    """What happens on which stream, in order."""

    def __init__(self):
        self.notes = []
        self.events = []

    @contextmanager
    def side(self):
        self.notes.append("side")
        yield
        self.notes.append("back")

    def mark(self):
        self.notes.append("mark")
        self.events.append(Event(self.notes))
        return self.events[-1]

    def join(self, event, tensors):
        self.notes.append(("join", self.events.index(event), len(list(tensors))))

    def locked(self, array):
        return tensor_of(array)


class Lease(np.ndarray):
    """An array that can be referred to weakly, as the one of a slot is."""


def slot(value=0):
    return np.full((2, 3, 4, 5), value, np.uint8).view(Lease)


@pytest.fixture
def streams():
    return Streams()


def test_copies_are_queued_aside_and_the_reader_waits_for_them(streams):
    route = SideStream(CPU, False, streams)
    complete = route({"image": slot(7), "label": np.arange(2)})
    assert streams.notes == ["side", "back", "mark"]
    tensors = complete()
    assert streams.notes[3:] == [("join", 0, 2)]
    assert tensors["image"].unique().tolist() == [7]
    assert tensors["label"].tolist() == [0, 1]


def test_a_slot_is_kept_until_its_copy_is_done(streams):
    route = SideStream(CPU, False, streams)
    first, second = slot(), slot()
    gone = [weakref.ref(first), weakref.ref(second)]
    tensors = [route({"image": array})() for array in (first, second)]
    del first, second
    gc.collect()
    assert all(lease() is not None for lease in gone)
    streams.events[0].done = True
    tensors.append(route({"image": slot()})())
    gc.collect()
    assert [lease() is None for lease in gone] == [True, False]
    streams.events[1].done = True
    route({})
    gc.collect()
    assert gone[1]() is None
    assert "synchronize" not in streams.notes


def test_nothing_goes_while_a_device_reads_it(streams):
    route = SideStream(CPU, False, streams)
    array = slot()
    gone = weakref.ref(array)
    route({"image": array})
    del array, route
    gc.collect()
    assert streams.notes[-1] == "synchronize"
    assert gone() is None


@pytest.mark.parametrize("make", [lambda last: Direct(CPU, last), lambda last: SideStream(CPU, last, Streams())])
def test_channels_last(make):
    arrays = {"image": slot(3), "label": np.arange(2), "video": np.zeros((1, 2, 3, 4, 5))}
    tensors = make(True)(arrays)()
    assert tensors["image"].is_contiguous(memory_format=torch.channels_last)
    assert tensors["image"].shape == (2, 3, 4, 5)
    assert tensors["image"].unique().tolist() == [3]
    assert tensors["video"].is_contiguous()
    assert make(False)(arrays)()["image"].is_contiguous()


# ---- locking


class Cuda:
    """A stand-in for CUDA's functions that keeps what is locked."""

    def __init__(self, failing=0):
        self.failing = failing
        self.locked = {}
        self.calls = 0

    def cudaHostRegister(self, address, size, flags):  # noqa: N802
        self.calls += 1
        if not self.failing:
            self.locked[address] = size
        return self.failing

    def cudaHostUnregister(self, address):  # noqa: N802
        del self.locked[address]
        return 0


@pytest.fixture
def cuda(monkeypatch):
    cuda = Cuda()
    monkeypatch.setattr(torch.cuda, "cudart", lambda: cuda)
    return cuda


def test_a_loaders_memory_is_locked_once_and_until_it_goes(cuda):
    arena, locks = Arena(3, 5000), Locks()
    arrays = [arena.slot(number)[:100].reshape(10, 10)[2:] for number in (2, 0)]
    assert all(locks.covers(array) for array in arrays)
    assert cuda.calls == 1
    (size,) = cuda.locked.values()
    assert size == 3 * 8192
    arena.close()
    del arena
    gc.collect()
    assert cuda.locked
    del arrays
    gc.collect()
    assert cuda.locked == {}


def test_other_memory_is_not_locked(cuda):
    locks = Locks()
    assert mapping_of(np.zeros(3)) is None
    assert mapping_of(np.frombuffer(b"abc", np.uint8)) is None
    assert not locks.covers(np.zeros(3))
    assert not locks.covers(np.frombuffer(b"abc", np.uint8))
    assert cuda.calls == 0


def test_where_cuda_refuses_it_is_asked_once_and_said(cuda, caplog):
    cuda.failing = 2
    arena, locks = Arena(2, 5000), Locks()
    assert [locks.covers(arena.slot(number)) for number in (0, 1, 0)] == [False] * 3
    assert cuda.calls == 1
    assert "CUDA cannot lock 0.0 MB of memory (error 2)" in caplog.text
    arena.close()


# ---- with a loader


def ahead_of(streams):
    """Return a feed as it is for a CUDA device."""
    feed = TorchFeed("cpu")
    feed._routes[:] = [SideStream(CPU, False, streams)]
    feed.ahead = feed._begun
    return feed


def test_a_feed_lets_go_of_slots_as_soon_as_it_goes(streams):
    feed, array = ahead_of(streams), slot()
    gone = weakref.ref(array)
    feed({"image": array})
    gc.disable()
    try:
        del feed, array
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("shared_memory", [2, True])
def test_a_loader_gives_all_batches_however_late_a_device_is(streams, done, shared_memory):
    feed = ahead_of(streams)
    worker = {"use": "classification", "image": ((1, 8, 8), "uint8")}
    common = {"length": 200, "shuffle": True, "num_mini_batches": 2}
    with (
        TurboDataLoader(
            "dataset:digits", 20, worker, 1, feed=feed, transport="threads", shared_memory=shared_memory, **common
        ) as loader,
        TurboDataLoader("dataset:digits", 20, worker, 0, **common) as plain,
    ):
        for (_, mine), (_, theirs) in zip(loader, plain, strict=True):
            for fed, sample in zip(mine, theirs, strict=True):
                np.testing.assert_array_equal(fed["image"].numpy(), sample["image"])
                np.testing.assert_array_equal(fed["label"].numpy(), sample["label"])
            for event in streams.events:
                event.done = done
    assert len(streams.events) == 20
