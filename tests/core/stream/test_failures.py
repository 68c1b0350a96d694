"""Errors that cross from a worker: as text, and as errors again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import LeavenError, PoisonError, SampleError, SampleErrors, WorkerError
from leaven.stream import wire
from leaven.stream.failures import RemoteError, described, described_all, rebuilt, rebuilt_all
from leaven.stream.messages import is_error


def crossed(error):
    """What the loader makes of an error after it has been bytes."""
    fields = wire.unpack(wire.pack(described_all(error)))
    assert all(is_error(one) for one in fields)
    return rebuilt_all(2, fields)


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_samples_error_keeps_its_fields_and_its_traceback():
    error = crossed(raised(SampleError("no", index=5, key="k", stage="decode", cause_type="OSError")))
    assert type(error) is SampleError
    assert str(error) == "sample 5 (k): decode failed: OSError: no"
    assert isinstance(error.__cause__, RemoteError)
    assert "in worker 2:\nTraceback" in str(error.__cause__)
    assert "in raised" in error.remote_traceback


@given(st.text(), st.none() | st.integers(-(2**63), 2**63 - 1), st.text(), st.text(), st.text())
def test_any_text_crosses(message, index, key, stage, cause):
    error = crossed(SampleError(message, index=index, key=key, stage=stage, cause_type=cause))
    assert (error.index, str(error).isprintable()) == (index, True)


def test_any_other_error_names_the_worker_and_its_type():
    error = crossed(raised(KeyError("x")))
    assert type(error) is WorkerError
    assert str(error) == "worker 2: KeyError: 'x'"


def test_a_key_that_the_error_does_not_know_is_added():
    assert rebuilt(0, described(SampleError("no", index=1), "mine")).key == "mine"
    assert rebuilt(0, described(SampleError("no", index=1, key="its own"), "mine")).key == "its own"


def test_a_poison_sample_stays_one_however_often_it_crosses():
    error = PoisonError(3, "SIGSEGV", "Fatal Python error: Segmentation fault", index=7, key="k", stage="decode")
    for _ in range(2):
        error = crossed(error)
    assert type(error) is PoisonError
    assert str(error) == "sample 7 (k): decode failed: SIGSEGV: it has killed 3 workers"
    assert (error.kills, error.words) == (3, "Fatal Python error: Segmentation fault")


@pytest.mark.parametrize("kills", ["3", -1, 0, None, True, [3]])
def test_what_another_host_says_of_kills_is_checked(kills):
    assert type(rebuilt(0, {**described(SampleError("no")), "kills": kills})) is SampleError


def test_several_samples_are_a_group():
    error = crossed(SampleErrors([SampleError("no", index=i) for i in range(8)], 30))
    assert type(error) is SampleErrors
    assert (error.count, [one.index for one in error.exceptions]) == (30, list(range(8)))
    assert all(isinstance(one.__cause__, RemoteError) for one in error.exceptions)


def test_more_samples_than_a_group_keeps_are_counted():
    fields = [described(SampleError("no", index=i)) for i in range(20)]
    error = rebuilt_all(0, fields)
    assert (len(error.exceptions), error.count) == (8, 20)


@pytest.mark.parametrize("count", ["30", -1, None, [1]])
def test_what_another_host_says_of_their_number_is_checked(count):
    fields = [{**described(SampleError("no", index=i)), "count": count} for i in range(2)]
    assert rebuilt_all(0, fields).count == 2


def test_a_worker_that_failed_itself_comes_before_samples():
    fields = [described(SampleError("no")), described(ValueError("broken"))]
    assert str(rebuilt_all(1, fields)) == "worker 1: ValueError: broken"


def test_no_errors_at_all_are_an_error():
    assert isinstance(rebuilt_all(1, []), LeavenError)


def test_control_characters_of_a_traceback_are_escaped_and_its_lines_stay():
    fields = {**described(ValueError("x")), "remote_traceback": "one\n\x1b[2Jtwo"}
    assert str(rebuilt(0, fields).__cause__) == "in worker 0:\none\n\\x1b[2Jtwo"
