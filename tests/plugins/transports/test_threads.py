from __future__ import annotations

import threading
import time

import pytest

import leaven
from leaven.errors import SampleErrors, TransportError


class Where(leaven.BufferWorker):
    """Tells in which thread each row was made; remembers whether it was set up."""

    def __init__(self, seconds=0.0, leave=False):
        self.seconds = seconds
        self.leave = leave
        self.threads = set()
        self.add_buffer("value", ((1,), "int64"))

    def prepare(self, sample, row, buffers):
        time.sleep(self.seconds)
        if self.leave:
            raise SystemExit(3)
        self.threads.add(threading.get_ident())
        assert len(self.threads) == 1  # an instance of its own for each thread
        buffers["value"][0] = sample["value"]
        row.append("thread", threading.current_thread().name)


def loader(worker, nworkers=2, size=40, **options):
    samples = [{"value": n} for n in range(size)]
    return leaven.TurboDataLoader(samples, 4, worker, nworkers, transport="threads", **options)


def test_each_worker_is_a_thread():
    with loader(leaven.create(Where, seconds=0.002)) as batches:
        names = {name for _, (sample,) in batches for name in sample["thread"]}
    assert names == {"leaven-worker-0", "leaven-worker-1"}


def test_a_worker_that_was_made_by_hand_is_copied():
    class Local(Where):
        def prepare(self, sample, row, buffers):
            super().prepare(sample, row, buffers)

    local = Local(seconds=0.001)
    local.threads = set()
    with loader(local, nworkers=1) as batches:
        assert [int(value) for _, (sample,) in batches for value in sample["value"].ravel()] == list(range(40))


def test_sys_exit_in_a_worker_is_an_error_and_ends_nothing():
    with loader(leaven.create(Where, leave=True)) as batches:
        with pytest.raises(SampleErrors, match="SystemExit: 3"):
            list(batches)


def test_closing_does_not_wait_for_what_a_thread_is_on():
    before = threading.active_count()
    with loader(leaven.create(Where, seconds=0.2), size=4000) as batches:
        next(iter(batches))
        began = time.monotonic()
    assert time.monotonic() - began < 5  # the queue alone would take longer
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_no_other_process_can_join():
    transport = leaven.create("transport:threads")
    for call in (lambda: transport.address(0), lambda: transport.connect({}), lambda: transport.renew(0)):
        with pytest.raises(TransportError, match="threads"):
            call()
    with pytest.raises(TransportError, match="closed"):
        transport.send(0, b"x")
