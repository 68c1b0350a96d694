"""The file of columns: numbers that are read without the samples, and are never others than within these."""

from __future__ import annotations

import copy
import logging
import pickle
import struct
import zlib

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.data import getters
from leaven.errors import DatasetError, FormatError, SampleError
from leaven.stream.wire import pack_sample, unpack_sample
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.datasets.msgpack.columns import Columns
from leaven_plugins.datasets.msgpack.gathering import FEWEST, Numbers
from leaven_plugins.datasets.msgpack.partial import find_number

COUNT = FEWEST + 5


def samples(count=COUNT, **fields):
    for n in range(count):
        yield {"key": str(n), "image": bytes([n % 256]) * 30, **{name: value(n) for name, value in fields.items()}}


@pytest.fixture
def path(tmp_path):
    MsgpackDataset.write(
        tmp_path / "x.msgpack", samples(label=lambda n: n % 700, score=lambda n: n / 7, even=lambda n: n % 2 == 0)
    )
    return tmp_path / "x.msgpack"


def columns_of(path):
    return path.with_name(path.name + ".columns")


def bare(path):
    """The same dataset without columns."""
    dataset = MsgpackDataset(path)
    dataset._columns = False
    return dataset


def test_labels_are_those_of_the_samples_and_take_few_bytes(path):
    dataset = MsgpackDataset(path)
    expected = [unpack_sample(dataset.sample(n))["label"] for n in range(COUNT)]
    assert [dataset.getitem_label(n) for n in range(COUNT)] == expected == bare(path).getall_label()
    assert type(dataset.getitem_label(3)) is int
    labels = dataset.getall_label()
    assert (labels.tolist(), labels.dtype) == (expected, np.int64)
    assert columns_of(path).stat().st_size < 200 + COUNT * (2 + 8 + 1)
    assert getters.labels(dataset).tolist() == expected


def test_other_numbers_have_getters_of_their_own_where_there_are_columns(path):
    dataset = MsgpackDataset(path)
    assert dataset.getall_score().tolist() == [n / 7 for n in range(COUNT)]
    assert (dataset.getitem_even(4), dataset.getitem_even(5)) == (True, False)
    assert (getters.getitem(dataset, "score", 5), type(dataset.getitem_score(7))) == (5 / 7, float)
    for name in ("getitem_image", "getall_key", "getall_nothing", "nothing"):
        assert not hasattr(dataset, name)
    assert not hasattr(MsgpackDataset(path.with_name("missing.msgpack")), "getall_score")


def test_positions_follow_the_rules_of_sequences(path):
    for dataset in (MsgpackDataset(path), bare(path)):
        assert dataset.getitem_label(-1) == dataset.getitem_label(COUNT - 1)
        with pytest.raises(IndexError, match=rf"x\.msgpack: no sample {COUNT}, there are {COUNT}"):
            dataset.getitem_label(COUNT)


def test_the_label_is_read_without_the_image_and_in_any_order_of_fields(tmp_path):
    contents = [
        {"key": "a", "image": bytes(10_000), "label": 300},
        {"label": -5, "key": "b", "image": bytes(10_000)},
        {"key": "c", "boxes": [[1, 2], {"a": 3}], "image": bytes(10_000), "label": 2**40},
        {"key": "d", "image": bytes(70_000), "label": np.int16(7)},
        {"key": "e", "y": 9, "image": bytes(10_000)},
        {"key": "f", "image": bytes(10_000), "label": "cat"},
    ]
    MsgpackDataset.write(tmp_path / "x.msgpack", contents)
    for mapped in (False, True):
        dataset = MsgpackDataset(tmp_path / "x.msgpack", mapped=mapped)
        assert dataset.getall_label() == [300, -5, 2**40, 7, 9, "cat"]
        dataset.close()


def test_an_image_is_not_read_for_a_label(tmp_path):
    message = pack_sample({"key": "a", "image": bytes(10**6), "label": 300, "note": "x"})
    read = []

    def reading(nbytes, offset):
        read.append(nbytes)
        return message[offset : offset + nbytes]

    assert find_number(reading, 0, len(message), "label") == 300
    assert sum(read) <= 512


def test_a_sample_without_a_label_is_named(tmp_path):
    MsgpackDataset.write(tmp_path / "x.msgpack", [{"key": "a", "image": bytes(9000)}, {"key": "b", "label": 1}])
    with pytest.raises(SampleError, match=r"sample 0 \(a\): .*no field 'label'"):
        MsgpackDataset(tmp_path / "x.msgpack").getitem_label(0)


def test_fields_that_not_all_samples_have_or_of_several_types_are_no_columns(tmp_path):
    fields = {"label": lambda n: n, "mixed": lambda n: n if n else 0.5, "text": str, "big": lambda n: 2**63 + n}
    contents = list(samples(**fields))
    contents[7]["once"] = 1
    del contents[8]["label"]
    MsgpackDataset.write(tmp_path / "x.msgpack", contents)
    assert not columns_of(tmp_path / "x.msgpack").exists()
    assert bare(tmp_path / "x.msgpack").getitem_label(9) == 9


def test_few_samples_have_no_file_of_columns(tmp_path):
    MsgpackDataset.write(tmp_path / "x.msgpack", samples(FEWEST - 1, label=int))
    assert len(list(tmp_path.iterdir())) == 6
    assert MsgpackDataset(tmp_path / "x.msgpack").getall_label() == list(range(FEWEST - 1))


def test_packed_messages_have_columns_as_well(path, tmp_path):
    source = MsgpackDataset(path)
    MsgpackDataset.write(tmp_path / "y.msgpack", (source.sample(n) for n in range(COUNT)))
    assert columns_of(tmp_path / "y.msgpack").read_bytes() == columns_of(path).read_bytes()


def relabelled(path, tmp_path, keep):
    """Write other labels in place, and leave some of the former files beside them."""
    kept = {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in keep}
    MsgpackDataset.write(
        path, samples(label=lambda n: (n + 1) % 700, score=lambda n: n / 7, even=lambda n: n % 2 == 0), overwrite=True
    )
    for suffix, content in kept.items():
        path.with_name(path.name + suffix).write_bytes(content)


def in_the_log(caplog, path):
    return [record.message for record in caplog.records if str(columns_of(path)) in record.message]


def test_columns_of_other_data_are_left_alone_which_is_said_once(path, tmp_path, caplog):
    relabelled(path, tmp_path, [".columns"])
    with caplog.at_level(logging.WARNING, "leaven.datasets"):
        for _ in range(3):
            dataset = MsgpackDataset(path)
            assert dataset.getitem_label(0) == 1
            assert not hasattr(dataset, "getall_score")
            dataset.close()
    (line,) = in_the_log(caplog, path)
    assert "was made for other data than x.msgpack has now: run `leaven data index" in line


def test_columns_whose_data_have_another_sum_by_now_are_left_alone(path, tmp_path):
    """The sum tells what samples of the file may not: one label in the middle that is another one."""
    sums = path.with_name(path.name + ".md5")
    sums.write_text(sums.read_text().replace(sums.read_text()[:4], "0000", 1))
    with pytest.raises(DatasetError, match="was made for other data"):
        Columns(path, COUNT)
    sums.unlink()
    Columns(path, COUNT).close()


@pytest.mark.parametrize("where", [0, 8, 12, 20])
def test_a_head_that_was_changed_is_noticed(path, where, caplog):
    flip(columns_of(path), where)
    with caplog.at_level(logging.WARNING, "leaven.datasets"):
        dataset = MsgpackDataset(path)
        assert dataset.getall_label() == bare(path).getall_label()
        assert not hasattr(dataset, "getall_score")
    assert in_the_log(caplog, path)


@pytest.mark.parametrize(("where", "damaged"), [(-1, "even"), (-COUNT - 8, "score"), (-9 * COUNT - 2, "label")])
def test_a_column_that_was_changed_is_noticed_and_others_are_of_use(path, where, damaged, caplog):
    expected = {
        name: [unpack_sample(bare(path).sample(n))[name] for n in range(9)] for name in ("label", "score", "even")
    }
    flip(columns_of(path), where)
    with caplog.at_level(logging.WARNING, "leaven.datasets"):
        dataset = MsgpackDataset(path)
        for name, values in expected.items():
            assert list(getters.getall(dataset, name))[:9] == values
            assert (dataset._column(name) is None) == (name == damaged)
    (line,) = in_the_log(caplog, path)
    assert f"the column '{damaged}' was changed" in line


def flip(path, where):
    content = bytearray(path.read_bytes())
    content[where] ^= 0x40
    path.write_bytes(content)


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.999])
def test_columns_that_are_cut_off_are_no_columns(path, part):
    content = columns_of(path).read_bytes()
    columns_of(path).write_bytes(content[: int(part * len(content))])
    with pytest.raises(FormatError, match=r"x\.msgpack\.columns"):
        Columns(path, COUNT)
    assert MsgpackDataset(path).getitem_label(699) == 699


@pytest.mark.parametrize(
    "about",
    [
        [],
        {},
        {"version": 1},
        {"version": 1, "count": COUNT, "data": b"", "md5": "", "columns": [["label", "|O8", False, 0]]},
    ],
    ids=["list", "empty", "version", "objects"],
)
def test_a_head_of_something_else_is_refused(path, about):
    packed = msgpack.packb(about)
    columns_of(path).write_bytes(b"leavenCO" + struct.pack("<II", len(packed), zlib.crc32(packed)) + packed)
    with pytest.raises(FormatError, match="its head is not one"):
        Columns(path, COUNT)


def test_nothing_is_open_before_the_first_access_and_copies_are_closed(path):
    dataset = MsgpackDataset(path)
    assert dataset.getitem_label(5) == 5
    for other in (pickle.loads(pickle.dumps(dataset)), copy.copy(dataset)):
        assert (other._opened, other._columns) == (None, None)
        assert other.getall_score()[7] == 1.0
        other.close()
    dataset.close()
    dataset.close()
    assert dataset.getitem_label(6) == 6
    dataset.close()


numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(),
    st.integers(-128, 127).map(np.int8),
    st.integers(0, 2**64 - 1).map(np.uint64),
    st.floats(width=32).map(np.float32),
    st.booleans().map(np.bool_),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=6))
def test_columns_have_the_same_values_of_the_same_types_or_are_none(values):
    gathered = Numbers()
    for value in values:
        gathered.add({"v": value, "key": "k"})
    column = gathered.columns().get("v")
    if column is None:
        assert len({type(value) for value in values}) > 1 or any(int(value) >= 2**63 for value in values)
    else:
        found = [column.item(n) for n in range(len(values))]
        assert [type(value) for value in found] == [type(value) for value in values]
        np.testing.assert_array_equal(found, values)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=40),
        st.one_of(
            numbers, st.binary(max_size=400), st.text(max_size=400), st.none(), st.lists(st.integers(), max_size=3)
        ),
        max_size=18,
    ),
    st.data(),
)
def test_a_number_is_found_as_unpacking_finds_it_or_not_at_all(fields, data):
    try:
        message = pack_sample(fields)
    except FormatError:  # integers of more than 64 bits
        return
    for name in fields:
        found = find_number(lambda nbytes, at: message[at : at + nbytes], 0, len(message), name)
        if found is not None:
            np.testing.assert_array_equal(found, fields[name])
            assert type(found) is type(fields[name])
    cut = data.draw(st.integers(0, len(message)))
    for name in fields:
        value = find_number(lambda nbytes, at: message[:cut][at : at + nbytes], 0, cut, name)
        if value is not None:
            np.testing.assert_array_equal(value, fields[name])


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 255, "u1"),
        (0, 1 << 32, "u8"),
        (-1, 127, "i1"),
        (-129, 0, "i2"),
        (-1, 128, "i2"),
        (-1, 1 << 40, "i8"),
        (-(1 << 63), (1 << 63) - 1, "i8"),
    ],
)
def test_whole_numbers_of_both_signs_stay_whole_numbers(low, high, dtype):
    numbers = Numbers()
    for value in (low, high):
        numbers.add({"key": "", "time": value})
    column = numbers.columns()["time"]
    assert column.values.dtype == dtype
    assert [column.item(0), column.item(1)] == [low, high]
    assert column.all().tolist() == [low, high]
