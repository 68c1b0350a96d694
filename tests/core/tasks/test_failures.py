"""Exceptions that cross: same type and text, or told; forged ones do no harm."""

from __future__ import annotations

import pytest
import task_parts
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import DatasetError, SampleError, TaskError
from leaven.tasks.calls import ByValue, Outcome
from leaven.tasks.failures import retold, told


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad", 3),
        KeyError("key"),
        OSError(2, "no", "file"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "why"),
        DatasetError("broken"),
        ValueError(),
    ],
    ids=repr,
)
def test_type_and_text_are_kept(error):
    found = retold(told(error))
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert "in worker process" in str(found.__cause__)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (task_parts.OddError(1), "OddError: number 2"),
        (SampleError("text", index=3), "SampleError: sample 3: prepare failed: text"),
        (ExceptionGroup("several", [ValueError()]), "ExceptionGroup: several"),
        (ValueError(lambda: None), "ValueError: <function"),
        (ValueError("\udc80\x1b["), r"ValueError: "),
        (SystemExit(3), "SystemExit: 3"),
        (StopIteration(3), "StopIteration: 3"),
        (task_parts.MuteError(3), "MuteError: (a MuteError without a text)"),
        (task_parts.UntoldError("words"), "UntoldError: words"),
        (task_parts.UncopiedError("words"), "UncopiedError: words"),
        (ValueError(task_parts.Secretive()), "ValueError: <task_parts.Secretive"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_made_again_is_told(error, text):
    found = retold(told(error))
    assert type(found) is TaskError
    assert str(found).startswith(text)
    assert str(found).isprintable()


@given(st.text(max_size=20), st.text(max_size=20), st.binary(max_size=20))
def test_what_a_worker_claims_is_only_ever_an_exception(module, name, arguments):
    fields = {**told(ValueError("x")), "type": f"{module}:{name}", "arguments": arguments}
    assert type(retold(fields)) is TaskError


@pytest.mark.parametrize("kind", ["os:system", "builtins:print", "builtins:SystemExit", "subprocess:Popen"])
def test_nothing_but_exceptions_is_made(kind):
    assert type(retold({**told(ValueError("x")), "type": kind})) is TaskError


@given(st.binary(max_size=40))
def test_a_malformed_answer_is_an_error_of_its_task(data):
    assert ByValue().outcome(0, data).error is not None


def test_an_object_that_does_not_take_its_state_is_an_error_of_its_task():
    data = ByValue().send_outcome(0, Outcome(task_parts.Choosy()))
    with pytest.raises(TaskError, match="a worker's answer cannot be read: ZeroDivisionError"):
        ByValue().outcome(0, data).get()
