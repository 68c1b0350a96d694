from __future__ import annotations

from array import array

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from leaven import create
from leaven.data.getters import getall, getitem, labels
from leaven.errors import FormatError, ParameterError
from leaven_plugins.datasets.arrays import ArraysDataset

IMAGES = np.arange(5 * 2 * 3, dtype=np.float32).reshape(5, 2, 3)
NUMBERS = [3, 1, 4, 1, 5]


@pytest.fixture(params=["array", "mapped", "tensor", "hdf5", "list of arrays", "list of lists"])
def images(request, tmp_path):
    """The same images in whatever is indexed like an array."""
    if request.param == "hdf5":
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["images"] = IMAGES
        with h5py.File(tmp_path / "x.h5") as file:
            yield file["images"]
        return
    np.save(tmp_path / "x.npy", IMAGES)
    yield {
        "array": lambda: IMAGES,
        "mapped": lambda: np.load(tmp_path / "x.npy", mmap_mode="r"),
        "tensor": lambda: torch.from_numpy(IMAGES),
        "list of arrays": lambda: list(IMAGES),
        "list of lists": lambda: IMAGES.tolist(),
    }[request.param]()


@pytest.mark.parametrize(
    "indices", [[0], [4, 2, 2, 0], [-1, 0], [], slice(1, None, 2), slice(None), np.array([3, 1], np.uint8)]
)
def test_rows_are_those_of_numpy(images, indices):
    chosen = ArraysDataset({"image": images}).rows(indices)["image"]
    expected = IMAGES[np.array(indices, int) if isinstance(indices, list) else indices]
    assert len(chosen) == len(expected)
    if len(expected):
        assert np.asarray(chosen).tolist() == expected.tolist()


def test_a_sample_is_a_row(images):
    dataset = ArraysDataset({"image": images, "label": NUMBERS})
    for n in (0, 4, -1):
        sample = dataset.sample(n)
        assert np.asarray(sample["image"]).tolist() == IMAGES[n].tolist()
        assert sample["label"] == NUMBERS[n]
        assert sample["key"] == str(n % 5)
    assert np.asarray(getall(dataset, "x")).tolist() == IMAGES.tolist()
    assert np.asarray(getitem(dataset, "image", 3)).tolist() == IMAGES[3].tolist()


@pytest.mark.parametrize(
    "numbers",
    [
        NUMBERS,
        tuple(NUMBERS),
        array("h", NUMBERS),
        np.array(NUMBERS, np.int8),
        torch.tensor(NUMBERS),
        [np.int16(n) for n in NUMBERS],
    ],
    ids=["list", "tuple", "array", "numpy", "tensor", "scalars"],
)
def test_numbers_are_those_of_python(numbers):
    dataset = ArraysDataset({"label": numbers, "x": IMAGES})
    assert labels(dataset).tolist() == NUMBERS
    assert type(dataset.sample(0)["label"]) is int
    assert dataset.rows([4, 0])["label"].tolist() == [5, 3]
    assert dataset.rows([4, 0])["label"].dtype.kind == "i"


def test_rows_of_arrays_are_views_and_several_are_copies():
    own = IMAGES.copy()
    dataset = ArraysDataset({"image": own})
    assert np.shares_memory(dataset.sample(1)["image"], own)
    assert not np.shares_memory(dataset.rows([1, 2])["image"], own)


def test_text_and_bytes_stay_what_they_are():
    columns = {
        "name": ["a", "bb\0"],
        "image": [b"1\0", b""],
        "mixed": [1, 2.5],
        "big": [1 << 70, 1],
        "ragged": [np.eye(1), np.eye(2)],
    }
    rows = ArraysDataset(columns).rows([0, 1])
    assert all(type(rows[name]) is list for name in columns)
    assert all(rows[name] == columns[name] for name in ("name", "image", "mixed", "big"))


@given(st.lists(st.integers(-7, 6), max_size=20))
def test_any_order_and_number_of_rows(indices):
    values = np.random.default_rng(0).normal(size=(7, 2))
    assert np.array_equal(ArraysDataset({"x": values}).rows(indices)["x"], values[np.array(indices, int)])


def test_keys():
    assert ArraysDataset({"key": np.array(["a", "b"]), "x": [1, 2]}).key(-1) == "b"
    dataset = ArraysDataset({"key": ["a", "b"], "id": [10, 11]}, key="id")
    assert [dataset.key(n) for n in range(2)] == ["10", "11"]
    assert dataset.sample(0) == {"key": "10", "id": 10}
    with pytest.raises(FormatError, match=r"sample 0: its key 0\.5 is no text or number"):
        ArraysDataset({"key": [0.5]}).key(0)


@pytest.mark.parametrize(
    ("arrays", "key", "expected"),
    [
        ({"a": [1, 2], "b": IMAGES}, None, "column 'b' has 5 rows, but 'a' has 2"),
        ({}, None, "arrays must be a mapping"),
        ([IMAGES], None, "arrays must be a mapping"),
        ({"a": np.array(1)}, None, "column 'a' has no length"),
        ({"a": {1, 2}}, None, "column 'a' is a set, not an array or list"),
        ({"a": "text"}, None, "column 'a' is a str"),
        ({"names": [1]}, "name", "no column 'name', did you mean 'names'"),
    ],
)
def test_what_is_no_column_is_said(arrays, key, expected):
    with pytest.raises(ParameterError, match=expected):
        ArraysDataset(arrays, key)


@pytest.mark.parametrize(
    ("indices", "error"),
    [([5], IndexError), ([-6], IndexError), ([0.5], ParameterError), ([True], ParameterError), ([[1]], ParameterError)],
)
def test_rows_that_are_not_there(indices, error):
    with pytest.raises(error, match="dataset:arrays"):
        ArraysDataset({"a": NUMBERS}).rows(indices)


def test_there_are_no_getters_but_those_of_columns():
    dataset = ArraysDataset({"a": NUMBERS})
    for name in ("getitem_b", "getall_b", "getitem_", "other_a"):
        with pytest.raises(AttributeError, match=name):
            getattr(dataset, name)


def test_it_is_made_by_name():
    assert create("dataset:arrays", arrays={"label": NUMBERS}).sample(2) == {"key": "2", "label": 4}
