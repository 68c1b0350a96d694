"""What all standard sets have in common, by a small one that is declared here."""

from __future__ import annotations

import copy
import hashlib
import pickle
import resource
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.data import getters
from leaven.errors import ConfigError, DatasetError, DeclarationError, FormatError, ParameterError
from leaven.testing import DatasetContract
from leaven_plugins.datasets.mnist import Mnist
from leaven_plugins.datasets.standard import StandardDataset
from leaven_plugins.datasets.standard_store import Arrays, Declaration, Store
from leaven_plugins.datasets.standard_views import FloatView
from leaven_plugins.fetching.sources import CopyFile, Download, ExistingFile

COUNT = 10
CONTENT = np.random.default_rng(0).integers(0, 256, (COUNT, 3, 2, 4), np.uint8)
CALLS: list[str] = []


def convert(files, arrays):
    CALLS.append("convert")
    pixels = np.frombuffer(files["pixels"].read_bytes(), np.uint8).reshape(-1, 3, 2, 4)
    for part in ("train", "test"):
        arrays.save(f"{part}_X_u8", pixels)
        arrays.save(f"{part}_y", np.arange(len(pixels), dtype=np.int32) % 3)


ARRAYS = ("train_X_u8", "train_y", "test_X_u8", "test_y")


def declared(file, sha256=None, made_by=convert, **options):
    source = Download("pixels", [file.as_uri()], sha256)
    return type(
        "Small", (StandardDataset,), {"declaration": Declaration("small", [source], ARRAYS, made_by, **options)}
    )


@pytest.fixture
def file(tmp_path):
    CALLS.clear()
    (tmp_path / "pixels").write_bytes(CONTENT.tobytes())
    return tmp_path / "pixels"


@pytest.fixture
def small(file, tmp_path):
    """The class of a set, whose file is not there, and the parameters to get it."""
    cls = declared(file, hashlib.sha256(CONTENT).hexdigest())
    return lambda *args, **kwargs: cls(*args, **{"n_val": 2, "data_dir": tmp_path / "data", "download": True, **kwargs})


class TestContract(DatasetContract):
    spec = "dataset:mnist"
    samples = None

    @pytest.fixture
    def arguments(self, file, tmp_path, monkeypatch):
        monkeypatch.setattr(Mnist, "declaration", declared(file).declaration)
        return {"n_val": 3, "data_dir": str(tmp_path / "data"), "download": True}


def test_splits_are_parts_of_the_original(small):
    for split, expected in (("train", range(8)), ("val", range(8, 10)), ("test", range(10))):
        dataset = small(split)
        assert len(dataset) == len(expected)
        part = "test" if split == "test" else "train"
        for position, number in enumerate(expected):
            sample = dataset.sample(position)
            assert sample.keys() == {"key", "image", "label"}
            assert sample["key"] == dataset.key(position) == f"{part}-{number:05d}"
            assert sample["label"] == number % 3
            assert sample["image"].shape == (2, 4, 3)
            assert np.array_equal(sample["image"], CONTENT[number].transpose(1, 2, 0))
        assert getters.labels(dataset).tolist() == [number % 3 for number in expected]
        assert getters.getitem(dataset, "x", 1).tolist() == dataset.sample(1)["image"].tolist()
        assert np.array_equal(getattr(dataset, f"{split}_X_u8"), CONTENT[list(expected)])
        assert np.allclose(getattr(dataset, f"{split}_X"), CONTENT[list(expected)] / 255.0, 0, 1e-6)
        assert getattr(dataset, f"{split}_y").tolist() == [number % 3 for number in expected]


def test_the_error_for_a_position_names_split_and_length(small):
    with pytest.raises(IndexError, match="small: no sample 2 in 'val', there are 2"):
        small("val").sample(2)


@pytest.mark.parametrize("n_val", [0, None])
def test_no_validation(small, n_val):
    assert len(small(n_val=n_val)) == COUNT
    assert len(small("val", n_val=n_val)) == 0
    assert small(n_val=n_val).val_X.shape == (0, 3, 2, 4)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"split": None}, "small: no split None; splits"),
        ({"data_dir": 5}, "small: 5: expected the path of a folder"),
        ({"split": "tset"}, "small: no split 'tset', did you mean 'test'"),
        ({"n_val": -1}, "n_val=-1: must not be negative"),
        ({"val_lower": 1.0}, "not the ends of a range"),
        ({"val_upper": float("nan")}, "not the ends of a range"),
    ],
)
def test_parameters_are_checked_at_once(small, params, problem):
    with pytest.raises(ParameterError, match=problem):
        small(**params)


@pytest.mark.parametrize("n_val", [COUNT, COUNT + 5])
def test_validation_leaves_something_to_train_on(small, n_val):
    with pytest.raises(ParameterError, match=f"n_val={n_val} leaves nothing of 10 samples to train on"):
        len(small(n_val=n_val))
    assert len(small("test", n_val=n_val)) == COUNT


@pytest.mark.parametrize("count", [0, 1])
def test_next_to_nothing(file, tmp_path, count):
    file.write_bytes(CONTENT[:count].tobytes())
    cls = declared(file)
    for split, expected in (("train", count), ("val", 0), ("test", count)):
        dataset = cls(split, n_val=0, data_dir=tmp_path / "data", download=True)
        assert len(dataset) == len(dataset.getall_label()) == expected
        assert getattr(dataset, f"{split}_X")[:].shape == (expected, 3, 2, 4)


def test_the_home_of_nobody(small):
    with pytest.raises(ConfigError, match=r"'~nobody\.at\.all' cannot be a folder"):
        len(small(from_dir="~nobody.at.all"))


def test_a_disk_that_takes_no_more(small, tmp_path):
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, former[1]))  # the file has 240 bytes, the arrays 368
    try:
        with pytest.raises(DatasetError, match=r"arrays-.*: cannot be written: File too large"):
            len(small())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert [path.name for path in (tmp_path / "data" / "small").iterdir()] == ["pixels"]
    assert len(small()) == 8


def test_names_of_arrays_are_known_without_opening(small):
    dataset = small(download=False)
    for name in ("trian_X", "unl_X", "getitem_path", "offset", "_private"):
        assert not hasattr(dataset, name)
    with pytest.raises(AttributeError, match="no attribute 'trian_X', did you mean 'train_X'"):
        dataset.trian_X
    with pytest.raises(DatasetError, match="to get it"):
        dataset.train_X


def test_arrays_cannot_be_written_to(small):
    with pytest.raises(ValueError, match="read-only"):
        small().train_X_u8[0] = 0


# ---- what is kept


def test_arrays_are_made_once(small, file, tmp_path):
    assert len(small()) == 8
    file.unlink()
    assert len(small(download=False)) == 8
    (tmp_path / "data" / "small" / "pixels").unlink()
    assert len(small(download=False)) == 8
    assert CALLS == ["convert"]


def test_arrays_are_made_again_of_another_file(file, tmp_path):
    other = CONTENT[:5]
    first = declared(file)(n_val=0, data_dir=tmp_path / "data", download=True)
    assert len(first) == 10
    (tmp_path / "data" / "small" / "pixels").write_bytes(other.tobytes())
    assert len(declared(file)(n_val=0, data_dir=tmp_path / "data")) == 5
    again = declared(file, hashlib.sha256(other).hexdigest(), version=2)(n_val=0, data_dir=tmp_path / "data")
    assert len(again) == 5
    assert CALLS == ["convert"] * 3
    assert len(list((tmp_path / "data" / "small").glob("arrays-*"))) == 1
    assert len(first) == 10  # what is open stays as it was


def test_a_wrong_file_is_put_aside(small, tmp_path):
    folder = tmp_path / "data" / "small"
    folder.mkdir(parents=True)
    (folder / "pixels").write_bytes(b"wrong")
    with pytest.raises(FormatError, match=r"renamed to pixels.wrong: try again"):
        len(small())
    assert len(small()) == 8


def test_many_at_a_time_make_the_arrays_once(small):
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: len(small()), range(8))) == {8}
    assert CALLS == ["convert"]


def test_a_conversion_that_fails_leaves_nothing(file, tmp_path):
    def fail(files, arrays):
        arrays.save("train_X_u8", CONTENT)
        raise FormatError("not what it should be")

    dataset = declared(file, None, fail)(data_dir=tmp_path / "data", download=True)
    with pytest.raises(FormatError, match="not what it should be"):
        len(dataset)
    assert [path.name for path in (tmp_path / "data" / "small").iterdir()] == ["pixels"]


@pytest.mark.parametrize(
    ("name", "array", "problem"),
    [
        ("train_X_u8", CONTENT.astype(np.int16), "train_X_u8 is .* int16, not"),
        ("train_X_u8", CONTENT[0], r"train_X_u8 is \(3, 2, 4\) uint8, not"),
        ("test_y", np.zeros(9, np.int32), r"test_y is \(9,\) int32, not int32 for 10"),
        ("test_y", np.zeros(10, np.int64), r"test_y is \(10,\) int64, not int32 for 10"),
    ],
)
def test_arrays_of_another_form_are_refused(file, tmp_path, name, array, problem):
    def other(files, arrays):
        convert(files, arrays)
        arrays.save(name, array)

    with pytest.raises(FormatError, match=problem):
        len(declared(file, None, other)(data_dir=tmp_path / "data", download=True))


def test_an_array_that_is_not_made_is_told(file, tmp_path):
    with pytest.raises(FormatError, match=r"small: train_X_u8.npy is missing"):
        len(declared(file, None, lambda files, arrays: None)(data_dir=tmp_path / "data", download=True))


def test_an_array_in_parts_has_to_be_whole(tmp_path):
    with pytest.raises(FormatError, match=r"x: 3 bytes instead of those of \(2, 3\) uint8"):
        with Arrays(tmp_path).growing("x", (2, 3), np.uint8) as add:
            add(np.zeros(3, np.uint8))


def test_damaged_arrays_are_told_with_what_to_do(small, tmp_path):
    len(small())
    (path,) = (tmp_path / "data" / "small").glob("arrays-*/train_X_u8.npy")
    for content in (path.read_bytes()[:-1], path.read_bytes()[:20], b""):
        path.write_bytes(content)
        with pytest.raises(FormatError, match=r"train_X_u8.npy: is damaged \(.*\); leaven data get makes it again"):
            len(small())


def test_arrays_with_another_bit_are_made_again_by_fetch(small, tmp_path, caplog):
    dataset = small()
    dataset.fetch()
    (path,) = (tmp_path / "data" / "small").glob("arrays-*/train_X_u8.npy")
    whole = path.read_bytes()
    dataset.fetch()
    assert CALLS == ["convert"]
    for content in (whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(content)
        dataset.fetch()
        assert path.read_bytes() == whole
        assert "is damaged, and is made again" in caplog.text
    path.with_name("sha256.json").write_text("[")
    dataset.fetch()
    path.with_name("train_y.npy").unlink()
    dataset.fetch()
    assert CALLS == ["convert"] * 5
    assert len(small()) == 8


def test_from_dir_is_read_where_it_is(small, file, tmp_path):
    assert len(small(from_dir=tmp_path, download=False)) == 8
    assert [path.name[:7] for path in (tmp_path / "data" / "small").iterdir()] == ["arrays-"]
    assert len(small(download=False)) == 8


def test_fetch_verifies_what_is_there_and_delete_takes_it_away(small, tmp_path):
    told = []
    dataset = small(download=False)
    dataset.fetch(lambda *state: told.append(state))
    assert told[-1] == ("pixels", CONTENT.nbytes, CONTENT.nbytes)
    dataset.fetch()
    (store,) = dataset.stores()
    assert store.is_ready()
    (store.folder / "pixels").write_bytes(b"damaged")
    with pytest.raises(FormatError, match="not the file that was expected"):
        dataset.fetch()
    dataset.fetch()
    assert sorted(path.name.partition("-")[0] for path in store.delete()) == ["arrays", "pixels.wrong"]
    assert not store.is_ready()
    assert not store.folder.exists()


def test_delete_takes_all_and_only_what_it_has_brought(file, tmp_path):
    own = tmp_path / "own"
    own.write_bytes(CONTENT.tobytes())
    sources = [CopyFile("pixels", file), ExistingFile(own)]
    store = Store(Declaration("small", sources, ARRAYS, convert), tmp_path / "data")
    assert len(store.arrays()["train_y"]) == COUNT
    names = [path.name.partition("-")[0] for path in store.delete()]
    assert names == ["pixels", "arrays"]
    assert not store.folder.exists()
    assert own.exists()
    assert file.exists()
    assert store.delete() == []


def test_declarations_are_checked():
    twice = [ExistingFile("/a/x"), ExistingFile("/b/x")]
    for sources in ([], twice):
        with pytest.raises(DeclarationError, match="small: the sources must be files of different names"):
            Declaration("small", sources, ARRAYS, convert)


def test_copies_and_threads(small):
    dataset = small()
    assert len(dataset) == 8
    for other in (copy.copy(dataset), pickle.loads(pickle.dumps(Mnist(data_dir="nowhere")))):
        assert other._opened == {}
    found = []
    threads = [threading.Thread(target=lambda: found.append(dataset.sample(3)["label"])) for _ in range(4)]
    dataset.close()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 4


# ---- views


@given(st.floats(-10, 10), st.floats(-10, 10), st.data())
def test_a_view_is_the_array_scaled(lower, upper, data):
    view = FloatView(CONTENT, lower, upper)
    assert (view.shape, view.ndim, view.size, view.dtype, len(view)) == (CONTENT.shape, 4, CONTENT.size, np.float32, 10)
    index = data.draw(
        st.sampled_from([3, -1, slice(2, 5), [1, 0, 1], np.arange(10) > 4, (slice(None), 0), (1, 2, 1, 3), ...])
    )
    expected = CONTENT[index] / 255 * (upper - lower) + lower
    assert np.allclose(view[index], expected, 0, 1e-5)
    assert np.asarray(view[index]).dtype == np.float32


def test_a_view_as_an_array():
    view = FloatView(np.array([0, 255], np.uint8), -1.0, 1.0)
    assert np.asarray(view).tolist() == [-1.0, 1.0]
    assert np.asarray(view, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="without a copy"):
        view.__array__(copy=False)
    with pytest.raises(IndexError):
        view[2]
