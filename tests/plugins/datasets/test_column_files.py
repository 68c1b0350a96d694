"""What the files of columns have in common: HDF5 and .npz, with the same samples and the same mistakes."""

from __future__ import annotations

import copy
import os
import pickle
import resource
import signal
import threading
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.data import getters
from leaven.errors import DatasetError, FormatError, ParameterError
from leaven.testing import DatasetContract
from leaven.testing.tools import samples
from leaven_plugins.datasets.hdf5 import Hdf5Dataset
from leaven_plugins.datasets.hdf5 import editing as hdf5_editing
from leaven_plugins.datasets.npz import NpzDataset
from leaven_plugins.datasets.npz import editing as npz_editing
from leaven_plugins.datasets.shards import spans

FORMATS = {"hdf5": Hdf5Dataset, "npz": NpzDataset}
EDITING = {"hdf5": hdf5_editing, "npz": npz_editing}


class TestHdf5Contract(DatasetContract):
    spec = "dataset:hdf5"


class TestNpzContract(DatasetContract):
    spec = "dataset:npz"


@pytest.fixture(params=FORMATS)
def suffix(request):
    return request.param


@pytest.fixture
def written(suffix, tmp_path):
    """Write samples and return the dataset, which is closed at the end."""
    opened = []

    def write(rows, **options):
        path = tmp_path / f"data.{suffix}"
        FORMATS[suffix].write(path, iter(rows), **options)
        opened.append(FORMATS[suffix](path))
        return opened[-1]

    yield write
    for dataset in opened:
        dataset.close()


def same(one, other):
    """Compare what was written with what was read: lists of numbers come back as arrays."""
    if isinstance(other, np.ndarray):
        array = np.asarray(one, other.dtype if not len(one) else None)
        equal_nan = array.dtype.kind == "f"
        return array.dtype == other.dtype and np.array_equal(array, other, equal_nan)
    return type(one) is type(other) and (one == other or one != one)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
CELLS = [
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    TEXT,
    st.binary(max_size=8),
    st.integers(-128, 127).map(np.int8),
    st.floats(width=32).map(np.float32),
    st.integers(0, 255).map(lambda value: np.full((2, 3), value, np.uint8)),
    st.lists(st.integers(-9, 9), max_size=3),
    st.lists(st.floats(width=32), max_size=3).map(lambda values: np.array(values, np.float32)),
    st.lists(st.binary(max_size=3), max_size=3),
    st.lists(TEXT, max_size=3),
    st.lists(st.integers(0, 255), max_size=3).map(lambda values: np.array(values, np.uint8)),
]
ROWS = st.lists(st.tuples(*CELLS), min_size=1, max_size=6)


@settings(max_examples=12, deadline=None)  # files are written safely, which takes its time
@given(ROWS, st.integers(1, 3))
def test_whatever_columns_hold_comes_back(tmp_path_factory, rows, shards):
    fields = [{"key": f"k{n}"} | {f"f{i}": value for i, value in enumerate(row)} for n, row in enumerate(rows)]
    folder = tmp_path_factory.mktemp("any")
    for suffix, dataset in FORMATS.items():
        assert dataset.write(folder / f"a.{suffix}", fields, shards=shards) == len(fields)
        names = [f"a.{suffix}"] if shards == 1 else [f"a_{n}.{suffix}" for n in range(shards)]
        read = []
        for name in names:
            with closing(dataset(folder / name)) as shard:
                read += [shard.sample(n) for n in range(len(shard))]
        assert len(read) == len(fields)
        for one, other in zip(fields, read, strict=True):
            assert one.keys() == other.keys()
            assert all(same(one[name], other[name]) for name in one), (one, other)


def test_long_columns_are_written_in_pieces(written, monkeypatch):
    monkeypatch.setattr("leaven_plugins.datasets.spool._SLAB", 64)
    rows = [{"key": f"key number {n}", "image": bytes([n]) * (n % 7) * 20, "a": np.full(3, n)} for n in range(50)]
    dataset = written(rows)
    assert [dataset.sample(n)["image"] for n in range(50)] == [row["image"] for row in rows]
    assert getters.getall(dataset, "a").tolist() == [[n] * 3 for n in range(50)]


def test_fields_are_read_alone(written):
    dataset = written(samples(5))
    assert getters.labels(dataset).tolist() == [0, 1, 2, 3, 4]
    assert getters.getitem(dataset, "y", 3) == 3
    assert getters.getitem(dataset, "label", -1) == 4
    assert getters.getall(dataset, "key") == ["s0", "s1", "s2", "s3", "s4"]
    assert not hasattr(dataset, "getitem_mask")
    assert not hasattr(dataset, "mask")


def test_columns_are_chosen_and_named(written, suffix):
    path = written([{"key": "a", "x_train": 1, "y_train": 2}]).path
    with closing(FORMATS[suffix](path, columns={"image": "x_train"})) as dataset:
        assert dataset.sample(0) == {"key": "0", "image": 1}
    with closing(FORMATS[suffix](path, columns=["x_trian"])) as dataset:
        with pytest.raises(
            FormatError, match=r"data.*no column 'x_trian', did you mean 'x_train'\?; there is: key, x_tra"
        ):
            len(dataset)
    with pytest.raises(ParameterError, match="columns must be a list of names"):
        FORMATS[suffix](path, columns="image")


def test_the_path_is_never_written(written):
    assert written([{"key": "a", "label": 1, "path": "/home/somebody"}]).sample(0) == {"key": "a", "label": 1}


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"key": "b", "label": 1.5}, "sample 1: field 'label': float64, where samples before have int64"),
        ({"key": "b", "label": None}, "sample 1: field 'label': NoneType None is nothing that a column can hold"),
        ({"key": "b", "label": {}}, "sample 1: field 'label': dict {} is nothing"),
        ({"key": "b", "label": 2**64}, "sample 1: field 'label': 18446744073709551616 has more than 64 bits"),
        ({"key": "b", "label": [1, "a"]}, "a list of different things"),
        ({"key": "b", "label": [1, 2]}, "an array of int64 with 1 dimension, where samples before have int64"),
        ({"key": "b", "label": []}, "an empty list, where samples before have int64"),
        ({"key": "b"}, "sample 1: it misses 'label'; all samples need the same fields"),
        ({"key": "b", "label": 1, "x": 1}, "it has, which the first does not, 'x'"),
        ({"key": "a", "label": 1}, "samples 0 and 1 have the same key 'a'"),
        ({"key": 3, "label": 1}, "its 'key' is int 3 instead of a string"),
        ({"key": "\ud800", "label": 1}, "is no text that UTF-8 has"),
        ({"key": "b", "label": 1, "x\ud800": 1}, "cannot be the name of a column"),
        (("b", 1), "is tuple ('b', 1) instead of a mapping"),
        (None, "is NoneType None instead of a mapping"),
        ({"key": "b", "label": np.zeros(3, complex)}, "an array of complex128 cannot be in a column"),
        ({"key": "b", "label": 1, 7: 1}, "its field 7 cannot be the name"),
    ],
)
def test_what_a_column_cannot_hold_is_named(suffix, tmp_path, second, said):
    path = tmp_path / f"data.{suffix}"
    with pytest.raises(DatasetError) as error:
        FORMATS[suffix].write(path, [{"key": "a", "label": 0}, second])
    assert said in str(error.value)
    assert str(path) in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", [[], np.zeros((2, 3)), "text"], ids=["empty", "array", "text"])
def test_rows_of_another_kind_are_an_error(suffix, tmp_path, first):
    with pytest.raises(FormatError, match="sample 1: field 'a'"):
        FORMATS[suffix].write(tmp_path / f"a.{suffix}", [{"key": "0", "a": first}, {"key": "1", "a": np.zeros((3, 3))}])


def test_nothing_changes_until_all_is_there(suffix, tmp_path):
    path = tmp_path / f"data.{suffix}"
    FORMATS[suffix].write(path, samples(2))
    before = path.read_bytes()

    def failing():
        yield from samples(3)
        raise KeyError("gone")

    with pytest.raises(DatasetError, match="exists already"):
        FORMATS[suffix].write(path, samples(1))
    with pytest.raises(KeyError, match="gone"):
        FORMATS[suffix].write(path, failing(), overwrite=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    FORMATS[suffix].write(path, samples(2), overwrite=True)
    assert path.read_bytes() == before, "the same samples give the same bytes"


@pytest.mark.parametrize("limit", [500, 60_000, 101_000])
def test_a_full_disk_is_an_error_that_names_the_file(suffix, tmp_path, limit):
    """In a child process: whose files may grow to a limit only; what the library then says is left out."""
    rows = [{"key": str(n), "image": bytes(1000)} for n in range(200)]
    FORMATS[suffix].write(tmp_path / f"old.{suffix}", rows)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        failed = [_is_named(lambda: FORMATS[suffix].write(tmp_path / f"new.{suffix}", rows), "new")]
        add = EDITING[suffix].add_column
        failed.append(_is_named(lambda: add(tmp_path / f"old.{suffix}", "x", [bytes(9)] * 200), "old"))
        os._exit(0 if all(failed) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"old.{suffix}"]


def _is_named(write, name):
    try:
        write()
    except DatasetError as error:
        return f"{name}." in str(error) and "cannot be written: File too large" in str(error)
    return False


def test_shards_are_balanced():
    for rows in range(12):
        for shards in range(1, 8):
            found = spans(rows, shards)
            sizes = [stop - start for start, stop in found]
            assert sum(sizes) == rows
            assert len(sizes) == shards
            assert max(sizes) - min(sizes) <= 1
            assert sizes == sorted(sizes, reverse=True)


def test_there_are_exactly_as_many_shards_as_asked_for(suffix, tmp_path):
    assert FORMATS[suffix].write(tmp_path / f"a.{suffix}", samples(2), shards=3) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a_{n}.{suffix}" for n in range(3)]
    with closing(FORMATS[suffix](tmp_path / f"a_2.{suffix}")) as last:
        assert len(last) == 0
    with pytest.raises(DatasetError, match=r"a_0.*exists already"):
        FORMATS[suffix].write(tmp_path / f"a.{suffix}", samples(2), shards=3)
    with pytest.raises(ParameterError, match="shards=0"):
        FORMATS[suffix].write(tmp_path / f"b.{suffix}", samples(2), shards=0)


def test_no_samples_make_an_empty_file(written):
    assert len(written([])) == 0


def test_copies_and_other_processes_get_no_open_file(written):
    dataset = written(samples(3))
    first = dataset.sample(0)
    for other in (copy.copy(dataset), pickle.loads(pickle.dumps(dataset))):
        with closing(other):
            assert other.sample(0) == first


def test_threads_read_at_the_same_time(written):
    rows = samples(8)
    dataset, wrong = written(rows), []

    def read(seed):
        order = np.random.default_rng(seed).integers(0, 8, 50)
        wrong.extend(n for n in order if dataset.sample(n)["image"] != rows[n]["image"])

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_columns_are_added_and_dropped(written, suffix):
    dataset = written(samples(3))
    before = [dataset.sample(n) for n in range(3)]
    dataset.close()
    editing = EDITING[suffix]
    editing.add_column(dataset.path, "tags", [[1], [], [2, 3]])
    editing.add_column(dataset.path, "clip", [[b"a"], [b"b", b"c"], []])
    editing.drop_column(str(dataset.path), "label")
    for n, sample in enumerate(before):
        read = dataset.sample(n)
        assert read["tags"].tolist() == [[1], [], [2, 3]][n]
        assert read["clip"] == [[b"a"], [b"b", b"c"], []][n]
        assert {"key": read["key"], "image": read["image"], "label": n} == sample
        assert "label" not in read
    dataset.close()
    editing.drop_column(dataset.path, "clip")
    assert "clip" not in dataset.sample(0)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("label", [1, 2], "there is a column 'label' already; it has: image, key, label"),
        ("new", [1], "1 values for the column 'new', where there are 2 rows"),
        ("new", [1, 2, 3], "3 values for the column 'new', where there are 2 rows"),
        ("new", [1, "a"], "column 'new', row 1: text, where samples before have int64"),
        ("a/b", [1, 2], "'a/b' cannot be the name of a column"),
        ("x.frames", [1, 2], "a column cannot be called 'x.frames'"),
    ],
)
def test_a_column_that_does_not_fit_is_not_added(written, suffix, name, values, said):
    dataset = written(samples(2))
    before = dataset.path.read_bytes()
    with pytest.raises(FormatError) as error:
        EDITING[suffix].add_column(dataset.path, name, values)
    assert said in str(error.value)
    assert dataset.path.read_bytes() == before
    assert list(dataset.path.parent.iterdir()) == [dataset.path]


def test_a_column_that_is_not_there_is_not_dropped(written, suffix):
    dataset = written([{"key": "a"}])
    with pytest.raises(FormatError, match="no column 'kez', did you mean 'key'"):
        EDITING[suffix].drop_column(dataset.path, "kez")
    with pytest.raises(FormatError, match="'key' is the only column"):
        EDITING[suffix].drop_column(dataset.path, "key")


def test_shards_of_a_larger_set_do_not_stay_beside_new_ones(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    FORMATS[suffix].write(path, samples(4), shards=4)
    with pytest.raises(DatasetError, match=rf"a_2\.{suffix}: a set of more than 2 shards is there"):
        FORMATS[suffix].write(path, samples(4), shards=2, overwrite=True)
    assert FORMATS[suffix].write(path, samples(4), shards=4, overwrite=True) == 4


def test_whole_numbers_that_a_float_has_not_are_refused(suffix, tmp_path):
    write = FORMATS[suffix].write
    assert write(tmp_path / f"a.{suffix}", [{"key": "a", "x": [1 << 53, 0.5]}]) == 1
    with pytest.raises(FormatError, match="float64 has not all digits"):
        write(tmp_path / f"b.{suffix}", [{"key": "a", "x": [(1 << 53) + 1, 0.5]}])


def test_keys_are_texts_or_whole_numbers(tmp_path):
    np.savez(tmp_path / "a.npz", key=np.array([3, 4]), label=np.arange(2))
    np.savez(tmp_path / "b.npz", key=np.array([3.5, 4]), label=np.arange(2))
    with closing(NpzDataset(tmp_path / "a.npz")) as dataset:
        assert dataset.key(1) == "4"
    with (
        closing(NpzDataset(tmp_path / "b.npz")) as dataset,
        pytest.raises(FormatError, match=r"its key 3\.5 is neither"),
    ):
        dataset.key(0)
