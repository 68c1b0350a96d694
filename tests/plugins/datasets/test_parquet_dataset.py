from __future__ import annotations

import datetime
import decimal
import json
import sys
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leaven.data.getters import class_names, content, getitem, labels
from leaven.errors import DatasetError, FormatError, MissingPackageError, ParameterError, SampleError
from leaven.stream.wire import pack_sample
from leaven.testing.tools import samples
from leaven_plugins.datasets.parquet import ParquetDataset


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.parquet"


@pytest.fixture
def opened():
    """What opens datasets, and closes them."""
    found = []
    yield lambda *args: found.append(ParquetDataset(*args)) or found[-1]
    for dataset in found:
        dataset.close()


def table(path, columns, schema=None, **options):
    pq.write_table(pa.table(columns, schema=schema), path, **options)
    return path


def test_columns_of_others_become_fields(path, opened):
    columns = {
        "image": pa.array([{"bytes": b"1", "path": "1.png"}, {"bytes": b"2", "path": None}, None]),
        "label": pa.array([2, 0, None], pa.int8()),
        "f": pa.array([0.5, float("inf"), None], pa.float32()),
        "h": pa.array(np.array([1, 2, 3], np.float16)),
        "text": pa.array(["a", None, "ü"]).dictionary_encode(),
        "list": pa.array([[[1, 2], []], None, []]),
        "fixed": pa.array([[1, 2]] * 3, pa.list_(pa.int16(), 2)),
        "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        "struct": pa.array([{"x": 1, "y": [b"z"]}] * 3),
        "day": pa.array([datetime.date(2020, 1, 2)] * 3),
        "at": pa.array([datetime.datetime(2020, 1, 2, 3)] * 3, pa.timestamp("us")),
        "took": pa.array([datetime.timedelta(seconds=1.5)] * 3),
        "price": pa.array([decimal.Decimal("1.50")] * 3),
        "flag": pa.array([True, False, None]),
    }
    dataset = opened(table(path, columns, row_group_size=2))
    assert len(dataset) == 3
    first = dataset.sample(0)
    assert first == {
        "key": "0",
        "image": b"1",
        "label": 2,
        "f": 0.5,
        "h": 1.0,
        "text": "a",
        "list": [[1, 2], []],
        "fixed": [1, 2],
        "map": [["a", 1]],
        "struct": {"x": 1, "y": [b"z"]},
        "day": "2020-01-02",
        "at": "2020-01-02T03:00:00",
        "took": 1.5,
        "price": "1.50",
        "flag": True,
    }
    assert dataset.sample(-1)["text"] == "ü"
    assert dataset.sample(2)["image"] is None
    for n in range(3):
        pack_sample(dataset.sample(n))


def test_what_only_has_the_name_of_a_file_is_not_read(path, opened):
    dataset = opened(table(path, {"image": [{"bytes": None, "path": "/etc/passwd"}]}))
    with pytest.raises(FormatError, match=r"row 0: the file '/etc/passwd' lies elsewhere: only its name is kept"):
        dataset.sample(0)


def test_class_names_of_hugging_face_are_known(path, opened):
    about = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    schema = pa.schema([("label", pa.int64())], metadata={"huggingface": json.dumps(about)})
    assert class_names(opened(table(path, {"label": [1, 0]}, schema))) == ("cat", "dog")
    assert class_names(opened(table(path.with_name("y.parquet"), {"label": [1, 0]}))) == ()


def test_keys_are_those_of_the_column_or_numbers_of_rows(path, opened):
    assert opened(table(path, {"key": [7, 8]})).key(1) == "8"
    dataset = opened(table(path.with_name("y.parquet"), {"key": ["a", None]}))
    assert [dataset.key(0), dataset.key(1), dataset.sample(1)["key"]] == ["a", "1", "1"]
    with pytest.raises(FormatError, match=r"row 0: its key is 0\.5, neither text nor a number"):
        opened(table(path.with_name("z.parquet"), {"key": [0.5]})).key(0)


def test_chosen_columns_are_read_alone(path, opened):
    ParquetDataset.write(path, samples(3))
    assert opened(path, ["label"]).sample(2) == {"key": "s2", "label": 2}
    with pytest.raises(FormatError, match="no column 'lable', did you mean 'label'"):
        len(opened(path, ["lable"]))
    with pytest.raises(ParameterError, match="columns must be a list"):
        ParquetDataset(path, "label")
    with pytest.raises(SampleError, match="no field 'label'"):
        getitem(opened(path, ["image"]), "label", 0)


def test_labels_and_keys_are_read_alone(path, opened, monkeypatch):
    ParquetDataset.write(path, samples(5), rows=2)
    dataset = opened(path)
    monkeypatch.setattr("leaven_plugins.datasets.parquet.file.ParquetFile._group", None)
    assert labels(dataset).tolist() == [0, 1, 2, 3, 4]
    assert [dataset.key(n) for n in range(5)] == ["s0", "s1", "s2", "s3", "s4"]
    assert type(getitem(dataset, "y", -1)) is int
    with pytest.raises(IndexError, match=r"x\.parquet: no sample 5, there are 5"):
        getitem(dataset, "y", 5)


def test_labels_that_are_no_numbers_are_a_list(path, opened):
    dataset = opened(table(path, {"label": ["a", None]}))
    assert dataset.getall_label() == ["a", None]
    with pytest.raises(ParameterError, match="is no label"):
        labels(dataset)


def test_groups_of_rows_are_decoded_once_and_few_are_kept(path, opened):
    ParquetDataset.write(path, samples(24), rows=2)
    assert pq.ParquetFile(path).metadata.num_row_groups == 12
    dataset = opened(path)
    file = dataset._files().file
    reads = []
    read = file._file.read_row_group
    file._file = type(
        "Counted",
        (),
        {"read_row_group": lambda self, n, **how: reads.append(n) or read(n, **how), "close": lambda self: None},
    )()
    assert [dataset.sample(n) for n in range(24)] == samples(24)
    assert reads == list(range(12))
    for n in (23, 22, 17, 16, 0):
        dataset.sample(n)
    assert reads[12:] == [0]


def test_threads_read_at_once(path, opened):
    ParquetDataset.write(path, samples(40), rows=3)
    dataset, expected, found = opened(path), samples(40), []

    def read(seed):
        order = np.random.default_rng(seed).permutation(40).tolist()
        found.extend(dataset.sample(n) == expected[n] for n in order)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 160


def test_what_is_written_is_read_by_others(path):
    assert ParquetDataset.write(path, map(pack_sample, samples(5)), rows=2) == 5
    assert pq.read_table(path).to_pylist() == samples(5)


def test_nothing_is_a_file_with_keys(path, opened):
    assert ParquetDataset.write(path, []) == 0
    assert len(opened(path)) == 0


def test_arrays_are_arrays_again(path, opened):
    arrays = [
        np.arange(6, dtype=">u2").reshape(2, 3),
        np.asfortranarray(np.eye(3, dtype=bool)),
        np.zeros((0, 4)),
        np.array(1j),
    ]
    ParquetDataset.write(path, [{"key": str(n), "mask": array} for n, array in enumerate(arrays)], rows=2)
    for n, array in enumerate(arrays):
        read = content(opened(path), n)["mask"]
        assert (read.dtype, read.shape, read.tolist()) == (array.dtype, array.shape, array.tolist())
        assert read.flags.writeable


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({}, "sample 1: has other fields than the samples before: n, v"),
        ({"n": 1, "v": 1, "w": 1}, "has other fields than the samples before: w"),
        ({"n": 1, "v": 1.0}, "field 'v' has several types by now: float, int"),
        ({"n": 1, "v": True}, "field 'v' has several types by now: bool, int"),
        ({"n": 1, "v": [1]}, "from it on: field 'v'"),
        ({"n": 1, "v": np.eye(2)}, "v is an array in some samples, not in others"),
        ({"n": 1, "v": {"a": 1}}, "field 'v': dict .* cannot be in a column"),
        ({"n": 1, "v": [np.eye(2)]}, "field 'v': list .* cannot be in a column"),
        ({"n": 1, "v": 1 << 64}, "field 'v'"),
        ({"n": 1, 5: 1}, "field '5': a name must be a string"),
        ({"n": 1, "v": 1, "key": 5}, "its 'key' is int 5 instead of a string"),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("rows", [1, 2])
def test_what_no_column_holds_is_said(path, second, expected, rows):
    with pytest.raises(FormatError, match=expected):
        ParquetDataset.write(path, [{"key": "a", "n": 1, "v": 1}, {"key": "b", **second}], rows=rows)
    assert list(path.parent.iterdir()) == []


def test_a_column_whose_first_values_are_missing_has_no_type(path, opened):
    rows = [{"key": str(n), "v": None if n < 2 else n} for n in range(4)]
    with pytest.raises(
        FormatError, match="sample 2: or one of the 2 from it on: field 'v': the first rows had no value"
    ):
        ParquetDataset.write(path, rows, rows=2)
    ParquetDataset.write(path, rows, rows=3)
    assert [opened(path).sample(n)["v"] for n in range(4)] == [None, None, 2, 3]


def test_keys_are_unique(path):
    with pytest.raises(DatasetError, match="samples 0 and 1 have the same key 'a'"):
        ParquetDataset.write(path, [{"key": "a"}, {"key": "a"}])
    with pytest.raises(ParameterError, match="rows=0: expected a whole number, at least 1"):
        ParquetDataset.write(path, [], rows=0)


def test_damage_is_an_error_that_names_the_file(path, opened):
    ParquetDataset.write(path, samples(4))
    good = path.read_bytes()
    at = good.index(samples(1)[0]["image"])
    for bad in (b"", b"PAR1", good[:-10], good[:100], good[: at + 50] + b"\0" + good[at + 51 :]):
        path.write_bytes(bad)
        with pytest.raises(FormatError, match=r"x\.parquet: not a Parquet file that can be read"):
            opened(path).sample(0)


@pytest.mark.parametrize("limit", ["_LARGEST", "_MOST_ROWS"])
def test_groups_of_rows_that_no_machine_holds_are_refused(path, opened, monkeypatch, limit):
    monkeypatch.setattr(f"leaven_plugins.datasets.parquet.file.{limit}", 3)
    ParquetDataset.write(path, samples(4))
    with pytest.raises(FormatError, match=r"row group 0 would be 4 rows of \d+ bytes in all"):
        len(opened(path))


def test_columns_of_one_name_are_refused(path, opened):
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(FormatError, match="several columns are called a"):
        len(opened(path))


def test_without_pyarrow_it_says_what_to_install(path, monkeypatch):
    ParquetDataset.write(path, samples(1))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for attempt in (lambda: len(ParquetDataset(path)), lambda: ParquetDataset.write(path, [], overwrite=True)):
        with pytest.raises(
            MissingPackageError, match=r"dataset:parquet needs pyarrow: pip install 'leaven\[parquet\]'"
        ):
            attempt()
