from __future__ import annotations

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leaven.stream.flat import flat_sample

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, width=32)
    | st.text(max_size=300)
    | st.binary(max_size=300)
)
FLAT = st.dictionaries(st.text(max_size=40), PLAIN, max_size=15)


@given(FLAT, st.booleans())
@example({"image": bytes(70_000), "key": "k" * 70_000}, False)
def test_it_reads_what_the_codec_reads(sample, single):
    data = msgpack.packb(sample, use_single_float=single)
    found = flat_sample(data)
    expected = msgpack.unpackb(data)
    assert found == expected
    assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]


@given(FLAT, st.data())
def test_what_is_cut_off_or_too_long_is_left_to_the_codec(sample, data):
    packed = msgpack.packb(sample)
    assert flat_sample(packed + b"\0") is None
    assert flat_sample(packed[: data.draw(st.integers(0, len(packed) - 1))]) is None


@given(st.binary(max_size=60))
@example(b"\x81\xa1a\xc7")
@example(b"\x81\xa1\xff\x01")
def test_whatever_the_bytes_are_it_agrees_with_the_codec_or_leaves_them_to_it(data):
    found = flat_sample(data)
    if found is not None:
        assert found == pytest.approx(msgpack.unpackb(data), nan_ok=True) or found == msgpack.unpackb(data)


@pytest.mark.parametrize(
    "sample", [{1: 2}, {"a": [1]}, {"a": {"b": 1}}, {b"nd": True}, {str(i): i for i in range(16)}, [1], "text"]
)
def test_other_messages_are_left_to_the_codec(sample):
    assert flat_sample(msgpack.packb(sample)) is None
