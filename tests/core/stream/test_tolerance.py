"""How many samples may fail."""

from __future__ import annotations

import logging

import pytest

from leaven.errors import DatasetError, ParameterError, SampleError, SampleErrors, TooManyErrors, WorkerError
from leaven.stream.quarantine import read_quarantine
from leaven.stream.tolerance import Tolerance


def failure(index, cause="ValueError"):
    return SampleError("no", index=index, key=f"k{index}", stage="decode", cause_type=cause)


def tolerated(tolerance, most=1000):
    """How many samples may fail before it is one too many."""
    for index in range(most):
        try:
            tolerance.count(failure(index), 0)
        except TooManyErrors:
            return index
    return most


@pytest.mark.parametrize(
    ("max_errors", "samples", "allowed"),
    [
        (0, 100, 0),
        (3, 100, 3),
        (3, None, 3),
        (0.1, 100, 10),
        (0.1, 101, 11),
        (0.07, 100, 7),
        (0.5, 1, 1),
        (0.999, 10, 10),
    ],
)
def test_the_budget(max_errors, samples, allowed):
    tolerance = Tolerance("skip", max_errors)
    tolerance.begin(samples)
    assert tolerated(tolerance) == allowed


@pytest.mark.parametrize(("seen", "allowed"), [(0, 1000), (99, 1000), (100, 10), (250, 25)])
def test_a_share_of_an_unknown_number_is_of_those_so_far(seen, allowed):
    tolerance = Tolerance("skip", 0.1)
    tolerance.begin(None)
    tolerance.passed(seen)
    assert tolerated(tolerance) == allowed


def test_each_epoch_has_its_own_budget():
    tolerance = Tolerance("skip", 2)
    for _ in range(3):
        tolerance.begin(10)
        tolerance.count(failure(0), 0)
        tolerance.count(failure(1), 0)
    with pytest.raises(TooManyErrors):
        tolerance.count(failure(2), 0)


def test_a_sample_counts_once_in_a_pass():
    tolerance = Tolerance("skip", 2)
    tolerance.begin(10)
    for _ in range(5):
        tolerance.count(failure(0), 0)
        tolerance.count(failure(0), 1)
    with pytest.raises(TooManyErrors, match="3 samples of 10"):
        tolerance.count(failure(1), 0)


def test_the_error_names_samples_and_causes():
    tolerance = Tolerance("skip", 0.3)
    tolerance.begin(100)
    with pytest.raises(TooManyErrors) as caught:
        for index in range(100):
            tolerance.count(failure(index, "OSError" if index % 3 else "ValueError"), 0)
    assert caught.value.causes == {"decode: OSError": 20, "decode: ValueError": 11}
    assert [error.index for error in caught.value.samples] == list(range(20))
    assert (caught.value.count, caught.value.total, caught.value.allowed) == (31, 100, 30)


def test_ten_warnings_and_a_summary(caplog):
    tolerance = Tolerance("skip", 100)
    tolerance.begin(200)
    for index in range(25):
        tolerance.count(failure(index), 0, replaced_by=index + 100 if index == 3 else None)
    tolerance.end()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "sample 0 (k0): decode failed: ValueError: no; its row is left empty"
    assert lines[3].endswith("; sample 103 takes its place")
    assert lines[-1] == "25 of 200 samples of this epoch failed: decode: ValueError (25)"
    assert len(lines) == 11


def test_an_epoch_without_failures_says_nothing(caplog):
    tolerance = Tolerance("skip")
    tolerance.begin(10)
    tolerance.passed(10)
    tolerance.end()
    assert not caplog.records


def test_an_epoch_that_has_ended_says_so_once(caplog):
    tolerance = Tolerance("skip", 5)
    tolerance.begin(10)
    tolerance.count(failure(0), 0)
    tolerance.end()
    tolerance.end()
    assert sum("this epoch" in record.getMessage() for record in caplog.records) == 1


def test_failures_are_listed_once_also_over_the_budget_and_after_a_restart(tmp_path):
    path = tmp_path / "q.jsonl"
    for _ in range(2):
        tolerance = Tolerance("skip", 1, path)
        tolerance.begin(10)
        tolerance.count(failure(0), 0)
        with pytest.raises(TooManyErrors):
            tolerance.count(failure(1), 0)
    assert [listed.index for listed in read_quarantine(path)] == [0, 1]


def test_an_error_that_ends_the_run_is_listed_as_well(tmp_path):
    tolerance = Tolerance("raise", quarantine=tmp_path / "q.jsonl")
    for error in (failure(0), SampleErrors([failure(1), failure(2)]), WorkerError("gone")):
        with pytest.raises(type(error)) as caught:
            tolerance.refuse(error, 4)
        assert caught.value is error
    assert [(listed.index, listed.epoch) for listed in read_quarantine(tmp_path / "q.jsonl")] == [
        (0, 4),
        (1, 4),
        (2, 4),
    ]


def test_a_file_that_cannot_be_written_is_an_error_before_anything_else(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot be written"):
        Tolerance("skip", quarantine=tmp_path / "file" / "q.jsonl")


def test_a_file_that_cannot_be_written_any_more_ends_no_run(tmp_path, caplog):
    (tmp_path / "q").mkdir()
    tolerance = Tolerance("skip", 5, tmp_path / "q" / "q.jsonl")
    (tmp_path / "q" / "q.jsonl").unlink()
    (tmp_path / "q").rmdir()
    tolerance.count(failure(0), 0)
    tolerance.count(failure(1), 0)
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1


@pytest.mark.parametrize("max_errors", [-1, 1.0, 0.0, 1.5, -0.1, True, "1", None, float("nan")])
def test_a_budget_that_is_none_is_refused(max_errors):
    with pytest.raises(ParameterError, match=r"max_errors=.*expected how many"):
        Tolerance("skip", max_errors)


@pytest.mark.parametrize(
    ("on_error", "words"), [("skipp", "did you mean 'skip'"), ("x", "raise, skip, replace"), (None, "raise, skip")]
)
def test_a_policy_that_does_not_exist_is_refused(on_error, words):
    with pytest.raises(ParameterError, match=words):
        Tolerance(on_error)
