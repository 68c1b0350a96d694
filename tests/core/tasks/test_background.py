"""BackgroundTask: prepared results, errors, deaths, seeds, reset and close."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import task_parts

from leaven import BackgroundTask, LeavenError, ParameterError, RecipeError, TaskError, TimedOut

PARTS = Path(task_parts.__file__).parent
HOWS = [{"transport": "zeromq", "nworkers": 2}, {"transport": "threads", "nworkers": 2}, {"nworkers": 0}]


@pytest.fixture(params=HOWS, ids=["zeromq", "threads", "inline"])
def how(request):
    return request.param


def test_results_are_copies_of_what_the_function_returns(how):
    data = task_parts.Data(20_000)
    with BackgroundTask(data.batch, args=(3,), kwargs={"factor": 2}, **how) as task:
        first, second = task.get(), task.get()
        first[0][...] = -1
        assert second[0].tolist() == [0, 2, 4]
        assert task.get(timeout=20)[0].tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    "array",
    [
        np.array([True, False]),
        np.arange(3, dtype=np.uint64),
        np.ones((2, 2), np.float16),
        np.array(["ab", "c"]),
        np.array([b"ab"]),
        np.array(["2001-02-03"], "M8[D]"),
        np.array([(1, 2.0)], np.dtype([("a", "i1"), ("b", "f8")], align=True)),
        np.array(1 + 2j),
        np.zeros((0, 3)),
        np.longdouble(3),
    ],
    ids=lambda array: str(array.dtype),
)
def test_any_dtype_of_a_fixed_size(array):
    with BackgroundTask(partial(task_parts.double, value=1), array.dtype, array.shape, nworkers=0):
        pass
    with BackgroundTask(lambda: (array, None, 5), transport="threads") as task:
        found, number = task.get()
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert (found == array).all()
    assert (number.shape, number.dtype) == ((), np.int64)


def test_a_structured_array_of_a_process():
    array = np.array([(1, 2.0), (3, 4.0)], np.dtype([("a", "i1"), ("b", ">f8")], align=True))
    with BackgroundTask(task_parts.first, args=(array,)) as task:
        (found,) = task.get()
    assert found.dtype == array.dtype
    assert (found == array).all()


def test_what_the_function_raises_is_raised_at_its_run(how, tmp_path):
    runs = {"nworkers": min(1, how["nworkers"])}
    with BackgroundTask(task_parts.fail_every_third, "int64", (1,), args=(tmp_path / "runs",), **how | runs) as task:
        assert [task.get()[0][0] for _ in range(2)] == [1, 2]
        with pytest.raises(ValueError, match="run 3") as caught:
            task.get()
        assert task.get()[0][0] == 4
    if how.get("transport") == "zeromq":
        assert "in worker process" in str(caught.value.__cause__)
        assert "task_parts.py" in str(caught.value.__cause__)


def test_a_result_of_another_shape_is_named(how, tmp_path):
    with BackgroundTask(
        task_parts.changing, "float32", (1,), args=(tmp_path / "runs",), **how | {"nworkers": 1}
    ) as task:
        assert task.get()[0].shape == (1,)
        with pytest.raises(
            TaskError, match=r"result 0 of changing is float32 \(2,\) in run 1 instead of float32 \(1,\)"
        ):
            task.get()
        assert task.get()[0].shape == (1,)
    with BackgroundTask(task_parts.nothing, ["f4"], [(1,)], **how) as task:
        with pytest.raises(TaskError, match=r"nothing returned 0 results in run . instead of 1"):
            task.get()


def test_timeout(how):
    began = time.monotonic()
    if how["nworkers"]:
        with BackgroundTask(task_parts.sleep, "f8", (), args=(0.5,), **how) as task:
            with pytest.raises(TimedOut, match=r"nothing came within 0\.05 s"):
                task.get(timeout=0.05)
            with pytest.raises(TimeoutError):
                task.get(timeout=0)
    else:  # a call cannot be broken off, and something is done even if there is no time
        with BackgroundTask(task_parts.sleep, args=(0.0,), **how) as task:
            assert task.get(timeout=0)
    assert time.monotonic() - began < 20
    with BackgroundTask(task_parts.sleep, args=(0.0,), nworkers=0) as task:
        with pytest.raises(ParameterError, match="timeout=False: expected seconds"):
            task.get(timeout=False)


def runs(task, count):
    return [tuple(np.concatenate(task.get()).tolist()) for _ in range(count)]


def test_runs_draw_their_own_numbers_by_seed():
    def drawn(seed, nworkers=1, **options):
        with BackgroundTask(task_parts.noise, nworkers=nworkers, seed=seed, **options) as task:
            return runs(task, 6)

    first = drawn(1)
    assert len(set(first)) == 6
    assert first == drawn(1) == drawn(1, transport="threads") == drawn(1, nworkers=0)
    assert {*drawn(1, nworkers=2)} & {*first}
    assert not {*drawn(2)} & {*first}
    assert not {*drawn(None)} & {*drawn(None)}


def test_global_state_is_set_for_each_run_of_a_process():
    def drawn(seed, nworkers=2):
        with BackgroundTask(task_parts.global_noise, nworkers=nworkers, seed=seed) as task:
            return runs(task, 8)

    assert len({number for run in drawn(1) for number in run}) == 24
    assert drawn(1, nworkers=1) == drawn(1, nworkers=1)
    state = np.random.get_state()[1].tobytes()
    with BackgroundTask(task_parts.global_noise, nworkers=1, seed=1) as task:
        task.get()
    with BackgroundTask(task_parts.noise, nworkers=2, transport="threads") as task:
        task.get()
    np.random.rand(2)
    assert np.random.get_state()[1].tobytes() == state  # drawing moves on within the block


def test_reset_goes_on_with_new_processes_and_new_numbers(how):
    with BackgroundTask(task_parts.noise, seed=3, **how) as task:
        before = runs(task, 3)
        task.reset()
        after = runs(task, 3)
    assert not set(before) & set(after)


def test_close_gives_back_everything_at_once(how):
    task = BackgroundTask(task_parts.sleep, "f8", (), args=(0.5,), **how)
    task.close()
    task.close()
    with pytest.raises(LeavenError, match="the background task has been closed"):
        task.get()


def test_a_forgotten_one_closes_itself():
    task = BackgroundTask(task_parts.pid, nworkers=2)
    task.get()
    del task  # what is left behind is looked for after each test


def test_profile_logs_times(caplog):
    with caplog.at_level(logging.INFO, "leaven.tasks"):
        with BackgroundTask(task_parts.sleep, args=(0.01,), nworkers=0, profile=True) as task:
            task.get()
    (record,) = caplog.messages
    assert record.startswith("sleep: waited ")
    assert float(record.split()[-2]) >= 10


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"target": 5}, ParameterError, "target=5: expected a function, got a int"),
        ({"target": task_parts.pid, "dtypes": "f4"}, ParameterError, "expected both or neither"),
        (
            {"target": task_parts.pid, "dtypes": ["f4"], "shapes": [1, 2]},
            ParameterError,
            "a dtype and a shape for each",
        ),
        ({"target": task_parts.pid, "dtypes": ["O"], "shapes": [1]}, ParameterError, "values have a fixed size"),
        ({"target": task_parts.pid, "dtypes": ["zz"], "shapes": [1]}, ParameterError, r"dtypes\[0\]: dtype 'zz'"),
        ({"target": task_parts.pid, "dtypes": ["f4"], "shapes": [-1]}, ParameterError, "negative size"),
        ({"target": task_parts.nothing}, ParameterError, "nothing returned no array"),
        ({"target": task_parts.pid, "seed": 1.5}, ParameterError, "seed=1.5"),
        ({"target": task_parts.pid, "seed": 1 << 64}, ParameterError, "seed=18446744073709551616: .* 64 bits"),
        ({"target": task_parts.pid, "seed": -(1 << 63) - 1}, ParameterError, "64 bits"),
        ({"target": task_parts.pid, "nworkers": -1}, ParameterError, "nworkers=-1"),
        ({"target": lambda: 5}, RecipeError, "function: a lambda cannot be handed to another process"),
        ({"target": task_parts.echo, "dtypes": "f4", "shapes": (), "args": [len, iter([])]}, RecipeError, r"args\[1\]"),
        ({"target": task_parts.fail, "args": [OSError, 5]}, OSError, "5"),
    ],
)
def test_mistakes(options, error, text):
    with pytest.raises(error, match=text):
        BackgroundTask(**options)
