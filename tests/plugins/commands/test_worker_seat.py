from __future__ import annotations

import random
import time

import pytest

from leaven.errors import WorkerError
from leaven.stream.board import Doing
from leaven.stream.messages import STOP, Died, Done, Failed, Hello, Open, Shut, Work, decode, encode
from leaven_plugins.commands.worker.seat import Seat


class FakeLink:
    """A connection that holds what was sent, and gives what is put into ``inbox``."""

    sources = ()

    def __init__(self):
        self.up, self.down, self.sent, self.inbox = True, "", [], []

    def look(self):
        pass

    def send(self, message):
        self.sent.append(message)

    def receive(self):
        found, self.inbox = self.inbox, []
        return found

    def close(self):
        self.down = "closed"


class FakeChild:
    fd = 0
    dead = False

    def ended(self):
        return self.dead

    def status(self):
        return "was killed"

    def last_words(self):
        return ""

    def close(self):
        pass


class FakeLocal:
    """Worker processes of which there is nothing but what was said to them."""

    def __init__(self):
        self.started, self.got, self.sample = [], [], None

    def start(self, number, lanes):
        self.started.append(lanes)
        return FakeChild()

    def send(self, number, message):
        self.got.append(message)
        return True

    def doing(self, number):
        return Doing(1, 0, 5, self.sample, "work", 1.0, 0)


@pytest.fixture
def seat():
    made = Seat(0, FakeLocal(), FakeLink, dict)
    made.step()
    assert isinstance(decode(made.link.sent.pop()), Hello)
    return made


def told(seat, *messages):
    seat.link.inbox += messages
    seat.step()
    return seat._local


WORK = encode(Work(0, 5, 0, -1, 0, 2, [0, 0], [3, 4], [b"a", b"b"], []))


def test_work_before_a_lane_is_open_was_for_a_worker_that_has_died(seat):
    assert told(seat, WORK).got == []
    local = told(seat, encode(Open(0, {"worker": 1})), WORK, encode(Open(1, {"worker": 2})), encode(Shut(0)))
    assert local.started == [{0: {"worker": 1}}]
    assert local.got == [WORK, encode(Open(1, {"worker": 2})), encode(Shut(0))]
    assert seat.lanes == {1: {"worker": 2}}


def test_to_stop_is_noted(seat):
    assert not seat.stopped
    told(seat, STOP)
    assert seat.stopped


def test_an_answer_that_is_too_long_becomes_an_error(seat, monkeypatch):
    monkeypatch.setattr("leaven_plugins.commands.worker.seat.LIMIT", 200)
    seat.answered(encode(Done(2, 5, 1, 7, [], [{"image": bytes(300)}], [], [], {})))
    failed = decode(seat.link.sent.pop())
    assert failed[:4] == (2, 5, 1, 7)
    assert "over the limit of 200" in failed.errors[0]["message"]


def test_a_worker_that_cannot_be_set_up_is_told_on_both_sides(seat):
    error = dict.fromkeys(("message", "key", "stage", "cause_type", "remote_traceback"), "")
    message = encode(Failed(0, -1, 0, -1, [{**error, "sample": False, "index": None, "message": "no such file"}]))
    with pytest.raises(WorkerError, match=r"could not start.*no such file"):
        seat.answered(message)
    assert seat.link.sent == [message]


def die(seat):
    told(seat, encode(Open(0, {"worker": 1})))
    seat.bury()
    assert isinstance(decode(seat.link.sent.pop()), Died)


def test_of_deaths_on_samples_the_loader_keeps_count(seat):
    seat._local.sample = 7
    for _ in range(20):
        die(seat)
    assert len(seat._local.started) == 20


def test_deaths_on_no_sample_are_this_hosts_fault_until_something_gets_done(seat):
    for _ in range(2):
        die(seat)
    seat.answered(encode(Done(0, 5, 0, 0, ["x"], [{}], [], [], {})))
    for _ in range(2):
        die(seat)
    with pytest.raises(WorkerError, match="3 workers in a row died, the last one was killed while"):
        die(seat)


def test_the_pause_after_a_death_grows_up_to_a_limit(seat):
    seat._local.sample, pauses = 7, []
    for _ in range(2000):
        seat._child, began = FakeChild(), time.monotonic()
        seat.bury()
        pauses.append(round(seat._due - began, 1))
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert max(pauses) == 5.0


def test_mutated_messages_are_dropped_or_passed_on(seat):
    told(seat, encode(Open(0, {"worker": 1})))
    chance = random.Random(4)
    for _ in range(10_000):
        message = bytearray(WORK)
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(message))
            message[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        told(seat, bytes(message))
        seat.answered(bytes(message))
    assert told(seat, WORK).got[-1] == WORK
