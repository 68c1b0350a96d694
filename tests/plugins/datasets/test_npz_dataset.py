from __future__ import annotations

import zipfile
from contextlib import closing, suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import DatasetError, FormatError, LeavenError, ParameterError
from leaven.testing.tools import samples
from leaven_plugins.datasets.npy import decode_npy
from leaven_plugins.datasets.npz import NpzDataset


@pytest.fixture(params=[np.savez, np.savez_compressed], ids=["stored", "compressed"])
def saved(request, tmp_path):
    """Save arrays as numpy does and return what reads them."""
    opened = []

    def save(params=None, **arrays):
        request.param(tmp_path / "data.npz", **arrays)
        opened.append(NpzDataset(tmp_path / "data.npz", **params or {}))
        return opened[-1]

    yield save
    for dataset in opened:
        dataset.close()


def test_arrays_of_numpy_are_read(saved):
    arrays = {
        "image": np.arange(2 * 3 * 8 * 9, dtype=np.uint8).reshape(2, 3, 8, 9),
        "label": np.array([3, 4], ">i2"),
        "name": np.array(["ä", "bc"]),
        "code": np.array([b"x", b"yz"]),
        "turned": np.asfortranarray(np.arange(12.0).reshape(2, 3, 2)),
        "flag": np.array([True, False]),
    }
    dataset = saved(**arrays, class_names=np.array(["no", "yes", "so"]))
    second = dataset.sample(1)
    assert np.array_equal(second["image"], arrays["image"][1].transpose(1, 2, 0))
    assert (second["label"], second["name"], second["code"], second["flag"]) == (4, "bc", "yz", False)
    assert np.array_equal(second["turned"], arrays["turned"][1])
    assert np.array_equal(dataset.getall_turned(), arrays["turned"])
    assert np.array_equal(dataset.getall_image(), arrays["image"].transpose(0, 2, 3, 1))
    assert dataset.getall_name() == ["ä", "bc"]
    assert dataset.class_names == ("no", "yes", "so")
    assert dataset.key(-1) == "1"
    assert dataset.getall_label().dtype == np.dtype("=i2")


def test_rows_can_be_changed_without_changing_others(saved):
    dataset = saved(a=np.zeros((2, 3)), b=np.zeros((2, 3)))
    row = dataset.sample(0)["a"]
    row += 1
    assert dataset.sample(0)["a"].sum() == 0


def test_objects_are_never_read(saved):
    with pytest.raises(FormatError, match=r"data\.npz: array 'a': holds Python objects, which are programs to be run"):
        len(saved(a=np.array([{}, []], object)))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": np.array(3)}, "a single value, where a row for each sample is expected"),
        ({"a": np.zeros(2), "b": np.zeros(3)}, r"columns of one length, there is: a \(2\), b \(3\)"),
        ({"a": np.zeros(2, [("x", "i4")])}, "is not read, only numbers and text"),
        ({"a": np.zeros(2, "M8[s]")}, "is not read, only numbers and text"),
        ({"a.bytes": np.zeros(3, np.uint8)}, "no 'a.offsets' beside it"),
        ({"a.bytes": np.zeros(3, np.uint8), "a.offsets": np.array([0, 2])}, "rise from 0 to 3"),
        ({"a.bytes": np.zeros(3, np.uint8), "a.offsets": np.array([0, 5, 2, 3])}, "rise from 0 to 3"),
        ({"a.bytes": np.zeros(3, np.uint8), "a.offsets": np.array([0.0, 3.0])}, "expected whole numbers"),
        ({"a.bytes": np.zeros((3, 1), np.uint8), "a.offsets": np.array([0, 3])}, "numbers in one dimension"),
        ({"a.text": np.array([255], np.uint8), "a.offsets": np.array([0, 1])}, "text that is not UTF-8"),
        ({}, "no arrays in it"),
    ],
)
def test_arrays_that_are_no_columns_are_an_error(saved, arrays, said):
    with pytest.raises(FormatError, match=said) as error:
        saved(**arrays).sample(0)
    assert "data.npz" in str(error.value)


def test_numpy_reads_what_is_written(tmp_path):
    NpzDataset.write(
        tmp_path / "a.npz", [{"key": "a", "image": b"12", "label": 5}, {"key": "bc", "image": b"", "label": 6}]
    )
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["label"].tolist() == [5, 6]
        assert arrays["image.bytes"].tobytes() == b"12"
        assert arrays["image.offsets"].tolist() == [0, 2, 2]
        assert arrays["key.text"].tobytes() == b"abc"


def test_stored_rows_are_read_in_place(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", image=np.zeros((1000, 100), np.uint8))
    with closing(NpzDataset(tmp_path / "a.npz")) as dataset:
        len(dataset)
        spans = []
        read = dataset._opened.archive.file.read
        monkeypatch.setattr(
            dataset._opened.archive.file, "read", lambda nbytes, at: spans.append(nbytes) or read(nbytes, at)
        )
        dataset.sample(500)
    assert sum(spans) == 100


def test_bombs_are_refused_before_they_go_off(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", image=np.zeros((1000, 1000), np.uint8))
    with closing(NpzDataset(tmp_path / "a.npz", limit=999_999)) as dataset:
        with pytest.raises(FormatError, match=r"take 1000128 bytes in memory, 999999 are allowed: limit="):
            len(dataset)
    with pytest.raises(ParameterError, match="limit=-1"):
        NpzDataset("a.npz", limit=-1)


def head_of(shape):
    head = BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return head.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.npy", head_of((10**12,)), "do not have 0 bytes"),
        ("a.npy", head_of((10**12, 0)), "rows of nothing"),
        ("a.npy", head_of((3,)) + b"1234", r"\(3,\) of uint8 do not have 4 bytes"),
        ("a.npy", b"\x93NUMPY\x01\x00", "no head of an array"),
        ("a.npy", b"", "no head of an array"),
        ("a.txt", b"", "'a.txt': expected arrays only"),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_heads_that_lie_are_refused(tmp_path, name, data, said, method):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr(name, data)
    with closing(NpzDataset(tmp_path / "a.npz")) as dataset, pytest.raises(FormatError, match=said):
        len(dataset)


def test_other_methods_of_compression_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", head_of((0,)))
    with pytest.raises(FormatError, match="compressed by another method"):
        len(NpzDataset(tmp_path / "a.npz"))


def test_files_that_are_none(tmp_path):
    (tmp_path / "photos.npz").write_bytes(b"nothing of that kind")
    with pytest.raises(FormatError, match=r"photos\.npz: not a \.npz file"):
        len(NpzDataset(tmp_path / "photos.npz"))
    with pytest.raises(DatasetError, match=r"did you mean 'photos\.npz'"):
        len(NpzDataset(tmp_path / "photo.npz"))


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("npz")
    NpzDataset.write(folder / "a.npz", samples(2))
    np.savez_compressed(folder / "b.npz", image=np.arange(60).reshape(5, 12), name=np.array(list("abcde")))
    return [(folder / name).read_bytes() for name in ("a.npz", "b.npz")]


@given(st.integers(0, 1), st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=4), st.floats(0, 1))
def test_damaged_files_end_in_errors_of_ours(contents, tmp_path_factory, which, flips, kept):
    content = bytearray(contents[which])
    for place, mask in flips:
        content[int(place * (len(content) - 1))] ^= mask
    path = tmp_path_factory.mktemp("damaged") / "a.npz"
    path.write_bytes(content[: len(content) - int(kept * 40)])
    with closing(NpzDataset(path)) as dataset:
        with suppress(LeavenError):
            [dataset.sample(n) for n in range(min(len(dataset), 5))]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_changed_byte_is_found_by_looking_at_all(tmp_path, save):
    path = tmp_path / "a.npz"
    save(path, label=np.arange(100), weight=np.linspace(0, 1, 100))
    with closing(NpzDataset(path)) as dataset:
        assert list(dataset.problems()) == []
    content = bytearray(path.read_bytes())
    content[content.index(b"weight.npy") + 300] ^= 4
    path.write_bytes(content)
    with closing(NpzDataset(path)) as dataset:
        (finding,) = dataset.problems()
    assert (finding.kind, finding.file) == ("checksum", str(path))
    assert finding.text.startswith("array 'weight': ")
    assert list(NpzDataset(tmp_path / "none.npz").problems()) == []  # which opening it tells


def test_arrays_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", head_of((0,)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.npy", head_of((0,)))
    with pytest.raises(FormatError, match="array 'a': is there twice"):
        len(NpzDataset(tmp_path / "a.npz"))


@pytest.mark.parametrize("shape", [(0, 10**30), (10**30, 0), (0, 1 << 62, 1 << 62), (0, 1 << 63)])
def test_shapes_that_no_array_has_are_refused(tmp_path, shape):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", head_of(shape))
    with closing(NpzDataset(tmp_path / "a.npz")) as dataset, pytest.raises(FormatError, match="do not have 0 bytes"):
        dataset.getall_a()
    with pytest.raises(FormatError, match="an array"):
        decode_npy(head_of(shape))
