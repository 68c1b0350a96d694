from __future__ import annotations

import pickle
import random
import struct
import tracemalloc
from contextlib import suppress

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leaven.errors import FormatError, ProtocolError
from leaven.stream.wire import MESSAGE_LIMIT, key_of, pack, pack_sample, unpack, unpack_sample

PLAIN_DTYPES = ["bool", "i1", "u1", "<i2", ">u2", "<i4", "<u4", ">i8", "<u8", "<f2", "<f4", ">f8", "<c8", "<c16"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
arrays = hnp.arrays(st.sampled_from(PLAIN_DTYPES), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
plain = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def nested_lists(depth):
    return b"\x91" * (depth - 1) + b"\x90"


def sample_with(value):
    return msgpack.packb({"key": "a", "deep": [1, {"mask": value}]})


def nd(type_, shape, data, kind=b"", is_array=True):
    return {b"nd": is_array, b"type": type_, b"kind": kind, b"shape": shape, b"data": data}


@given(plain)
def test_control_messages_round_trip(value):
    assert unpack(pack(value)) == value


@given(arrays)
def test_arrays_round_trip_in_control_messages(array):
    got = unpack(pack({"a": [array]}))["a"][0]
    assert got.shape == array.shape
    assert got.dtype == array.dtype.newbyteorder("<")
    assert got.flags.writeable
    np.testing.assert_array_equal(got, array)


@given(arrays)
def test_arrays_round_trip_in_samples_with_their_byte_order(array):
    got = unpack_sample(pack_sample({"key": "a", "x": array}))["x"]
    assert got.dtype == array.dtype
    assert got.shape == array.shape
    assert got.flags.writeable
    np.testing.assert_array_equal(got, array)


@given(st.dictionaries(st.text(max_size=5) | st.integers(-5, 300), plain, max_size=5))
def test_samples_round_trip(sample):
    assert unpack_sample(pack_sample(sample)) == sample


def test_tuples_arrive_as_lists_and_noncontiguous_arrays_as_they_look():
    array = np.arange(24).reshape(2, 3, 4)[:, ::-1].T
    got = unpack(pack({"shape": (1, (2, 3)), "a": array}))
    assert got["shape"] == [1, [2, 3]]
    np.testing.assert_array_equal(got["a"], array)


@pytest.mark.parametrize("value", [np.float32(2.5), np.int16(-3), np.bool_(True), np.uint64(2**63), np.complex64(1j)])
def test_numpy_scalars_keep_their_type(value):
    for got in (unpack(pack([value]))[0], unpack_sample(pack_sample({"x": value}))["x"]):
        assert type(got) is type(value)
        assert got == value


def test_samples_keep_complex_numbers_times_strings_and_structured_arrays():
    record = np.zeros(2, [("box", "<f4", (2, 2)), ("id", "<u2"), ("in", [("a", "S3")])])
    record["box"][1, 0] = 3
    sample = {
        "c": 1.5 - 2j,
        "t": np.array(["2020-01-01", "NaT"], "M8[ns]"),
        "u": np.array(["ab", "ü"]),
        "record": record,
    }
    got = unpack_sample(pack_sample(sample))
    assert got["c"] == sample["c"]
    assert got["record"].dtype == record.dtype
    assert got["record"].tobytes() == record.tobytes()
    assert got["u"].tolist() == ["ab", "ü"]
    assert got["t"].dtype == "M8[ns]"
    assert got["t"][0] == sample["t"][0]


def test_the_bytes_of_a_sample_are_those_of_msgpack_numpy():
    expected = b"\x82\xa3key\xa1a\xa1x" + b"\x85\xc4\x02nd\xc3\xc4\x04type\xa3<i2\xc4\x04kind\xc4\x00"
    expected += b"\xc4\x05shape\x91\x02\xc4\x04data\xc4\x04\x01\x00\x02\x00"
    assert pack_sample({"key": "a", "x": np.array([1, 2], "<i2")}) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"params": {"ops": [1, {2, 3}]}}, r"params\.ops\[1\]: set is not plain data"),
        ({"mask": np.array([None])}, "mask: .*object"),
        ({"p": [1 << 70]}, r"p\[0\]: an integer of 71 bits, 64 is the most"),
        ({"q": {(1, 2): 3}}, r"a key of q: tuple \(1, 2\)"),
        ({"s": ["\ud800"]}, r"s\[0\]: .*surrogates"),
    ],
)
def test_what_cannot_be_packed_is_named_by_its_path(value, text):
    with pytest.raises(ProtocolError, match=text):
        pack(value)
    with pytest.raises(FormatError, match=text):
        pack_sample(value)


def test_control_messages_take_string_keys_only():
    with pytest.raises(ProtocolError, match="a key of message: int 1"):
        pack({1: 2})
    with pytest.raises(ProtocolError, match="map key"):
        unpack(msgpack.packb({1: 2}))


@pytest.mark.parametrize("array", [np.zeros(2, "M8[s]"), np.array(["a"]), np.zeros(1, [("a", "i4")])])
def test_control_messages_take_arrays_of_plain_numbers_only(array):
    with pytest.raises(ProtocolError, match="only plain numbers"):
        pack({"x": array})


def test_what_contains_itself_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ProtocolError, match="recursion limit"):
        pack(loop)


def test_what_can_be_packed_is_never_too_deep_to_be_read():
    value: list[object] = []
    packed = b""
    for _ in range(2000):
        try:
            packed = pack(value)
        except ProtocolError:
            break
        value = [value]
    assert len(packed) > 300
    unpack(packed)
    with pytest.raises(ProtocolError, match=r"nested too deeply|recursion limit"):
        pack(value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "cut off"),
        (b"\xc1", "not msgpack"),
        (b"\x81\xa3key", "cut off"),
        (b"\x80\x80", "1 bytes after its end"),
        (nested_lists(2000), "nested too deeply"),
        (b"\xdd\xff\xff\xff\xff", "cut off"),
        (b"\xdf\xff\xff\xff\xff", "cut off"),
        (b"\xc6\xff\xff\xff\xff", "cut off"),
        (b"\x81\x90\x01", "malformed"),
        (b"\xa2\xff\xff", "utf-8"),
    ],
)
def test_malformed_bytes_are_one_type_of_error(data, text):
    with pytest.raises(ProtocolError, match=text):
        unpack(data)
    with pytest.raises(FormatError, match=text):
        unpack_sample(data)
    with pytest.raises(FormatError):
        key_of(data)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x0b",
        bytes([99, 0]),
        bytes([1, 1]),
        bytes([1, 1]) + struct.pack("<Q", 5) + b"abc",
        bytes([1, 2]) + struct.pack("<QQ", 2**33, 2**31),
        bytes([1, 2]) + struct.pack("<QQ", 0, 2**63),
        bytes([1, 200]) + bytes(8 * 200),
    ],
)
def test_malformed_arrays_in_control_messages_are_named(payload):
    message = msgpack.packb({"batch": [1, msgpack.ExtType(1, payload)]})
    with pytest.raises(ProtocolError, match=r"at batch\[1\]: "):
        unpack(message)


def test_unknown_ext_types_and_scalars_with_axes_are_refused():
    with pytest.raises(ProtocolError, match="unknown ext type 5"):
        unpack(msgpack.packb([msgpack.ExtType(5, b"abc")]))
    with pytest.raises(ProtocolError, match="scalar of shape"):
        unpack(msgpack.packb([msgpack.ExtType(2, bytes([1, 1]) + struct.pack("<Q", 1) + b"a")]))


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize(
    "value",
    [
        nd("|O", [1], pickle.dumps(Bomb()), b"O"),
        nd("|O", [1], pickle.dumps(Bomb())),
        nd("|O8", [1], bytes(8)),
        nd([["a", "|O"]], [1], bytes(8), b"V"),
        nd([["a", [["b", "O"]]]], [1], bytes(8), b"V"),
        nd("<i4,<i4", [1], bytes(8)),
        nd("O,i4", [1], bytes(16)),
        nd("<i4", [3], bytes(8)),
        nd("<i4", [2**62, 4], bytes(8)),
        nd("<i4", [-1], bytes(4)),
        nd("<i4", [2.0], bytes(8)),
        nd("<i4", "ab", bytes(8)),
        nd("<i4", [2], "ab"),
        nd("<i4", None, b""),
        nd("<U0", [10**9], b""),
        nd("<i99", [1], bytes(99)),
        nd(None, [1], b"a"),
        nd([], [0], b"", b"V"),
        nd([["a", "<i4", [10**9, 10**9]]], [1], b"abc", b"V"),
        nd([["a", "<i4"], ["a", "<i4"]], [1], bytes(8), b"V"),
        nd("<i4", [1], bytes(4), b"X"),
        nd("<i4", None, bytes(8), is_array=False),
        {b"nd": True},
        {b"complex": True, b"data": "__import__('os')"},
        {b"complex": True, b"data": "1" * 10_000},
        {b"complex": True},
    ],
)
def test_malformed_or_forbidden_numpy_values_in_samples_are_named(value):
    with pytest.raises(FormatError, match=r"at deep\[1\]\.mask: "):
        unpack_sample(sample_with(value))


def test_a_sample_is_a_map():
    with pytest.raises(FormatError, match="a list instead of a map"):
        unpack_sample(b"\x90")
    with pytest.raises(FormatError, match="instead of a map"):
        unpack_sample(msgpack.packb(nd("<i4", [1], bytes(4))))


def test_a_control_message_over_the_limit_is_refused_before_it_is_read():
    message = pack(b"x" * MESSAGE_LIMIT)
    with pytest.raises(ProtocolError, match=f"over the limit of {MESSAGE_LIMIT}"):
        unpack(message)
    assert len(unpack(message, limit=2 * MESSAGE_LIMIT)) == MESSAGE_LIMIT


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd" + struct.pack(">I", 1_000_000) + b"\x80" * 1_000_000,
        b"\xdd" + struct.pack(">I", 1_000_000) + b"\x90" * 1_000_000,
        (b"\xdd" + struct.pack(">I", 100_000)) * 1000,
        b"\xdd" + struct.pack(">I", 300_000) + b"\x81\xa0\xc0" * 300_000,
    ],
    ids=["empty maps", "empty lists", "nested promises", "small maps"],
)
def test_hostile_messages_cannot_take_much_memory(data):
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        unpack(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 * len(data)


def test_an_empty_map_for_each_row_of_a_large_batch_is_no_attack():
    message = {"augmentation": [{}] * 20_000}
    assert unpack(pack(message)) == message


def test_many_points_in_a_sample_are_no_attack():
    sample = {"key": "a", "points": [[n % 100, 3] for n in range(200_000)]}
    assert unpack_sample(pack_sample(sample)) == sample


def test_flipped_and_cut_samples_never_raise_anything_else():
    good = pack_sample({"key": "a", "x": np.arange(6, dtype="<i2"), "list": [1, 2.5, "ü", None], "c": 1j, 3: b"abc"})
    dice = random.Random(0)
    for _ in range(4000):
        data = bytearray(good[: dice.randrange(len(good) + 1)])
        for _ in range(dice.randrange(4)):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        for read, error in ((unpack_sample, FormatError), (key_of, FormatError), (unpack, ProtocolError)):
            try:
                read(bytes(data))
            except error:
                continue


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_value_or_in_the_one_error(data):
    with suppress(ProtocolError):
        unpack(data)
    with suppress(FormatError):
        assert isinstance(unpack_sample(data), dict)


def test_the_key_is_read_wherever_it_stands():
    assert key_of(pack_sample({"key": "ключ", "image": b"x"})) == "ключ"
    assert key_of(pack_sample({3: [1, {"key": "inner"}], "image": b"x", "key": "last"})) == "last"
    for sample in ({"image": b"x"}, {"key": 5}, {"key": [1]}):
        with pytest.raises(FormatError):
            key_of(pack_sample(sample))


def test_views_of_a_message_can_be_read():
    message = pack_sample({"key": "a", "x": np.arange(3)})
    for data in (bytearray(message), memoryview(b".." + message)[2:]):
        assert key_of(data) == "a"
        assert unpack_sample(data)["x"].tolist() == [0, 1, 2]
