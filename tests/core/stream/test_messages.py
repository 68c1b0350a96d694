from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import LeavenError, ProtocolError, SampleError, WorkerError
from leaven.stream import wire
from leaven.stream.failures import described, rebuilt
from leaven.stream.messages import Died, Done, Failed, Hello, Open, Ready, Shut, Work, decode, encode

ints = st.integers(-1, 2**40)
text = st.text(max_size=20)
ERRORS = st.builds(
    lambda sample, index, words: {
        "sample": sample,
        "index": index,
        **dict(zip(("message", "key", "stage", "cause_type", "remote_traceback"), words, strict=True)),
    },
    st.booleans(),
    st.none() | ints,
    st.tuples(text, text, text, text, text),
)
ROWS = st.lists(st.tuples(ints, ERRORS).map(list), max_size=3)
CHOICE = st.lists(st.tuples(ints, st.binary(max_size=9)).map(list), max_size=3)
LISTS = st.lists(ints, max_size=5)
MESSAGES = st.one_of(
    st.builds(Open, ints, st.dictionaries(text, ints, max_size=3)),
    st.builds(Shut, ints),
    st.builds(Ready, ints, ints),
    st.builds(Hello, st.dictionaries(text, text, max_size=3)),
    st.builds(
        Work,
        *[ints] * 6,
        LISTS,
        LISTS,
        st.none() | st.lists(st.binary(max_size=20), max_size=3),
        ROWS,
        st.none() | st.lists(st.tuples(ints, CHOICE).map(list), max_size=2),
    ),
    st.builds(
        Done,
        *[ints] * 4,
        st.lists(text, max_size=3),
        st.lists(st.dictionaries(text, st.lists(st.floats(allow_nan=False), max_size=3), max_size=3), max_size=2),
        ROWS,
        st.lists(st.tuples(ints, ints, ints).map(list), max_size=3),
        st.dictionaries(text, ints, max_size=3),
    ),
    st.builds(Failed, *[ints] * 4, st.lists(ERRORS, max_size=2)),
    st.builds(Died, ints, ints, ints, text, text),
)


@given(MESSAGES)
def test_round_trip(message):
    assert decode(encode(message)) == message


def test_arrays_travel_in_answers():
    array = np.arange(12, dtype="int16").reshape(3, 4)
    message = decode(encode(Done(0, 1, 0, -1, [], [{"x": array}], [], [], {})))
    np.testing.assert_array_equal(message.batches[0]["x"], array)


@given(st.binary(max_size=200))
def test_other_bytes_are_protocol_errors(data):
    try:
        decode(data)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    "content",
    [
        7,
        [],
        ["hello"],
        ["ready"],
        ["ready", 1, 2, 3],
        ["ready", 1, "2"],
        ["ready", True, 2],
        {"ready": 1},
        [["ready"], 1],
        ["work", 0, 0, 0, 0, 0, 1, [0], ["0"], None, [], None],
        ["work", 0, 0, 0, 0, 0, 1, [0], [0], ["text"], [], None],
        ["work", 0, 0, 0, 0, 0, 1, [0], [0], None, [], [[0, [[1, "text"]]]]],
        ["done", 0, 0, 0, 0, [1], [], [], []],
        ["done", 0, 0, 0, 0, [], [[]], [], []],
        ["done", 0, 0, 0, 0, [], [], [[0, {"sample": True}]], []],
        ["failed", 0, 0, 0, 0, [{}]],
    ],
)
def test_other_content_is_a_protocol_error(content):
    with pytest.raises(ProtocolError):
        decode(wire.pack(content))


def test_a_sample_error_arrives_as_one():
    try:
        raise SampleError("bad", index=4, stage="decode", cause_type="DecodeError")
    except SampleError as error:
        found = rebuilt(2, described(error, key="cat.jpg"))
    assert isinstance(found, SampleError)
    assert str(found) == "sample 4 (cat.jpg): decode failed: DecodeError: bad"
    assert "test_messages.py" in found.remote_traceback


def test_any_other_error_becomes_a_worker_error_of_text():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} and {b}")

    try:
        raise Odd("salt", "\x1b[2Jpepper")
    except Odd as error:
        found = rebuilt(3, described(error))
    assert isinstance(found, WorkerError)
    assert "worker 3: Odd: salt and" in str(found)
    assert isinstance(found.__cause__, LeavenError)
