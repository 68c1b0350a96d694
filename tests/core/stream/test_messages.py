from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import LeavenError, ProtocolError, SampleError, WorkerError
from leaven.stream import wire
from leaven.stream.failures import described, rebuilt
from leaven.stream.messages import Done, Failed, Ready, Work, decode, encode

ints = st.integers(-1, 2**40)
MESSAGES = st.one_of(
    st.builds(Ready, ints),
    st.builds(Work, ints, ints, ints, ints, st.lists(ints), st.lists(ints), st.none() | st.lists(st.binary())),
    st.builds(
        Done,
        ints,
        ints,
        ints,
        st.lists(st.text()),
        st.lists(st.dictionaries(st.text(), st.lists(st.floats(allow_nan=False)))),
    ),
    st.builds(Failed, ints, ints, ints, st.dictionaries(st.text(), st.text())),
)


@given(MESSAGES)
def test_round_trip(message):
    assert decode(encode(message)) == message


def test_arrays_travel_in_answers():
    array = np.arange(12, dtype="int16").reshape(3, 4)
    message = decode(encode(Done(1, 0, -1, [], [{"x": array}])))
    np.testing.assert_array_equal(message.batches[0]["x"], array)


@given(st.binary(max_size=200))
def test_other_bytes_are_protocol_errors(data):
    try:
        decode(data)
    except ProtocolError:
        pass


@pytest.mark.parametrize("content", [7, [], ["hello"], ["ready"], ["ready", 1, 2], {"ready": 1}, [["ready"], 1]])
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
