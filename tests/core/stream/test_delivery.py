from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.stream.delivery import Ledger, Task
from leaven.stream.sources import Stretch

LANE = 4


def tasks(count, first=0):
    return iter([Task(first + number, Stretch(number, 1, [0], [number], None, [])) for number in range(count)])


def opened(slots, depth, lane=LANE):
    ledger = Ledger()
    ledger.open(lane, slots, depth)
    return ledger


def able(*workers):
    return {LANE: set(workers)}


def test_work_goes_to_the_least_loaded_worker_up_to_its_depth():
    ledger = opened(slots=10, depth=2)
    ledger.begin(LANE, tasks(10))
    given = [ledger.give(able(0, 1)).worker for _ in range(4)]
    assert given == [0, 1, 0, 1]
    assert ledger.give(able(0, 1)) is None


def test_without_a_free_slot_nothing_is_given_out():
    ledger = opened(slots=1, depth=2)
    ledger.begin(LANE, tasks(3))
    job = ledger.give(able(0, 1))
    assert ledger.give(able(0, 1)) is None
    ledger.settle(job.worker, LANE, 0, 0, job.slot)
    assert ledger.give(able(0, 1)) is None  # the slot is the consumer's now
    ledger.release(LANE, job.slot)
    assert ledger.give(able(0, 1)).task.number == 1


def test_an_answer_that_does_not_match_does_not_count():
    ledger = opened(slots=4, depth=2)
    ledger.begin(LANE, tasks(2))
    job = ledger.give(able(0))
    assert ledger.settle(1, LANE, 0, 0, job.slot) is None
    assert ledger.settle(0, LANE, 0, 1, job.slot) is None
    assert ledger.settle(0, LANE, 0, 0, job.slot + 1) is None
    assert ledger.settle(0, LANE, 0, 0, job.slot) == job
    assert ledger.settle(0, LANE, 0, 0, job.slot) is None


def test_what_was_not_sent_is_first_in_the_queue_again():
    ledger = opened(slots=4, depth=4)
    ledger.begin(LANE, tasks(3))
    job = ledger.give(able(0))
    ledger.undo(job)
    assert ledger.give(able(0)) == job


def test_a_dead_workers_work_is_done_again_first_and_in_order():
    ledger = opened(slots=6, depth=3)
    ledger.begin(LANE, tasks(6))
    jobs = [ledger.give(able(0, 1)) for _ in range(4)]
    ledger.lost(0)
    again = [ledger.give(able(1)) for _ in range(1)] + [ledger.give(able(0)) for _ in range(2)]
    assert [(job.task.number, job.attempt) for job in again] == [(0, 1), (2, 1), (4, 0)]
    assert ledger.settle(0, LANE, 0, 0, jobs[0].slot) is None  # a late word of the dead


def test_a_new_epoch_forgets_what_is_in_flight_but_not_its_slots():
    ledger = opened(slots=2, depth=2)
    ledger.begin(LANE, tasks(5))
    old = [ledger.give(able(0)), ledger.give(able(0))]
    ledger.begin(LANE, tasks(5, first=2))
    assert ledger.give(able(0)) is None
    assert ledger.settle(0, LANE, 0, 0, old[0].slot) is None
    assert ledger.give(able(0)).task.number == 2
    assert not ledger.idle(LANE)


def test_lanes_take_turns_and_share_the_workers():
    ledger = opened(slots=8, depth=2)
    ledger.open(7, 8, 2)
    ledger.begin(LANE, tasks(8))
    ledger.begin(7, tasks(8))
    jobs = [ledger.give({LANE: {0, 1}, 7: {0, 1}}) for _ in range(8)]
    assert [job.lane for job in jobs] == [LANE, 7] * 4
    assert sorted(job.worker for job in jobs) == [0] * 4 + [1] * 4  # the depth is each lane's own
    assert ledger.give({LANE: {0, 1}, 7: {0, 1}}) is None
    ledger.shut(7)
    assert ledger.settle(jobs[1].worker, 7, 0, 0, jobs[1].slot) is None
    ledger.settle(jobs[0].worker, LANE, 0, 0, jobs[0].slot)
    assert ledger.give({LANE: {0, 1}}).lane == LANE


def test_a_request_can_be_withdrawn_before_it_is_made_again():
    ledger = opened(slots=4, depth=2)
    ledger.begin(LANE, tasks(3))
    ledger.give(able(0))
    assert not ledger.withdraw(LANE, 0)
    ledger.lost(0)
    assert ledger.withdraw(LANE, 0)
    assert ledger.give(able(0)).task.number == 1


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_nothing_is_lost_or_delivered_twice_whatever_happens(data):
    """Random interleavings of giving, answering, dying, unsendable messages, late answers and slow consumers."""
    count, workers = data.draw(st.integers(0, 12)), data.draw(st.integers(1, 3))
    slots, depth = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    ledger = opened(slots, depth)
    ledger.begin(LANE, tasks(count))
    flight, late, held, delivered = [], [], [], []
    everyone = set(range(workers))
    for _ in range(400):
        if len(delivered) == count and not held:
            break
        action = data.draw(st.sampled_from(["give", "give", "answer", "answer", "die", "undo", "late", "release"]))
        if action == "give" and (job := ledger.give({LANE: everyone})):
            assert job.slot not in [other.slot for other in flight + held]
            flight.append(job)
        elif action == "undo" and (job := ledger.give({LANE: everyone})):
            ledger.undo(job)
        elif action == "answer" and flight:
            job = flight.pop(data.draw(st.integers(0, len(flight) - 1)))
            assert ledger.settle(job.worker, LANE, job.task.number, job.attempt, job.slot) == job
            delivered.append(job.task.number)
            held.append(job)
        elif action == "die":
            worker = data.draw(st.integers(0, workers - 1))
            late += [job for job in flight if job.worker == worker]
            flight = [job for job in flight if job.worker != worker]
            ledger.lost(worker)
        elif action == "late" and late:
            job = late.pop()
            assert ledger.settle(job.worker, LANE, job.task.number, job.attempt, job.slot) is None
        elif action == "release" and held:
            ledger.release(LANE, held.pop().slot)
    else:
        while len(delivered) < count:  # whatever happened, the rest can always be delivered
            job = ledger.give({LANE: everyone}) or (flight.pop() if flight else None)
            if job is None:
                ledger.release(LANE, held.pop().slot)
                continue
            assert ledger.settle(job.worker, LANE, job.task.number, job.attempt, job.slot) == job
            delivered.append(job.task.number)
            held.append(job)
    assert sorted(delivered) == list(range(count))
