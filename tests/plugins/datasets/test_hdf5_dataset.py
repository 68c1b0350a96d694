from __future__ import annotations

import json
import os
import sys
from contextlib import closing, suppress

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.errors import DatasetError, FormatError, MissingPackageError
from leaven.testing.tools import samples
from leaven_plugins.datasets.hdf5 import Hdf5Dataset


@pytest.fixture
def made(tmp_path):
    """Make a file by ``fill(file)`` and return what reads it."""
    opened = []

    def make(fill, **params):
        with h5py.File(tmp_path / "data.h5", "w") as file:
            fill(file)
        opened.append(Hdf5Dataset(tmp_path / "data.h5", **params))
        return opened[-1]

    yield make
    for dataset in opened:
        dataset.close()


def test_layout_is_that_of_nebulae(tmp_path):
    rows = [
        {
            "key": f"k{n}",
            "image": b"\xff\xd8" * (n + 1),
            "label": np.int8(n),
            "tags": list(range(n)),
            "title": "ä",
            "s": 0.5,
        }
        for n in range(3)
    ]
    Hdf5Dataset.write(tmp_path / "a.hdf5", rows)
    with h5py.File(tmp_path / "a.hdf5") as file:
        assert list(file) == ["key", "image", "label", "tags", "title", "s"]
        assert all(dataset.shape == (3,) for dataset in file.values())
        assert h5py.check_vlen_dtype(file["image"].dtype) == np.uint8
        assert h5py.check_vlen_dtype(file["tags"].dtype) == np.int64
        assert h5py.check_string_dtype(file["title"].dtype) == ("utf-8", None)
        assert (file["label"].dtype, file["s"].dtype) == (np.int8, np.float64)
        assert file["image"][2].tobytes() == rows[2]["image"]


def test_rows_of_one_length_do_not_collapse(tmp_path):
    for count in (1, 3):
        rows = [{"key": f"{n}", "image": b"abcd", "tags": [[1], [1, 2]][n % 2]} for n in range(count)]
        Hdf5Dataset.write(tmp_path / "a.hdf5", rows, overwrite=True)
        with closing(Hdf5Dataset(tmp_path / "a.hdf5")) as dataset:
            assert [dataset.sample(n)["image"] for n in range(count)] == [b"abcd"] * count


def test_lists_of_files_lie_in_a_row(tmp_path):
    Hdf5Dataset.write(tmp_path / "a.hdf5", [{"key": "a", "clip": [b"1", b"22"]}, {"key": "b", "clip": [b"333"] * 3}])
    with h5py.File(tmp_path / "a.hdf5") as file:
        assert file["clip"].shape == (5,)
        assert file["clip.frames"][()].tolist() == [2, 3]
        assert file["_MAX_FRAMES"][()] == 3


def test_the_originals_files_are_read(golden):
    expected = {case["id"]: case for case in json.loads((golden / "nebulae.index.json").read_text())["cases"]}
    columns = expected["generator/plain_png"]["expected"]
    with closing(Hdf5Dataset(golden / "nebulae_files" / "plain_png.hdf5")) as dataset:
        rows = [dataset.sample(n) for n in range(len(dataset))]
    assert [row["key"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [len(row["image"]) for row in rows] == columns["image"]["nbytes"]
    assert [int(row["label"]) for row in rows] == columns["label"]["values"]
    assert [float(row["score"]) for row in rows] == columns["score"]["values"]
    assert [row["tags"].tolist() for row in rows] == columns["tags"]["values"]
    assert [row["title"] for row in rows] == columns["title"]["values"]


def test_groups_of_arrays_are_read(golden):
    path = golden / "batchup_files" / "cifar100.h5"
    columns = {"image": "train_X_u8", "label": "train_y"}
    with closing(Hdf5Dataset(path, group="cifar100", columns=columns)) as dataset:
        assert len(dataset) == 4
        assert dataset.sample(1)["image"].shape == (32, 32, 3)
        assert dataset.class_names[:2] == ("fine0", "fine1")
        with h5py.File(path) as file:
            stored = file["cifar100/train_X_u8"][()]
        assert np.array_equal(dataset.getall_image(), stored.transpose(0, 2, 3, 1))
        assert np.array_equal(dataset.sample(-1)["image"], stored[3].transpose(1, 2, 0))


def test_which_group_and_columns_there_are_is_told(made):
    def fill(file):
        file["set/x_train"], file["set/x_test"] = np.zeros(3), np.zeros(2)

    dataset = made(fill)
    with pytest.raises(FormatError, match=r"no columns in '/'; group=... chooses one of its groups: set"):
        len(dataset)
    with pytest.raises(FormatError, match=r"columns of one length, there is: x_test \(2\), x_train \(3\); columns="):
        len(made(fill, group="set"))
    with pytest.raises(FormatError, match=r"'/' has no 'sat', did you mean 'set'"):
        len(made(fill, group="sat"))
    with pytest.raises(FormatError, match="'x_test' is no group"):
        len(made(fill, group="set/x_test"))


def external_storage(file):
    file.create_dataset("a", (4,), "uint8", external=[("/etc/hostname", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "uint8")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (4,))
    file.create_virtual_dataset("a", layout)


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (lambda file: file.update({"a": h5py.ExternalLink("/etc/hostname", "/x")}), "'a' is a link, .* refused"),
        (lambda file: file.update({"b": np.zeros(3), "a": h5py.SoftLink("/b")}), "'a' is a link, .* refused"),
        (external_storage, "'/a' says that its data lie elsewhere"),
        (virtual, "'/a' says that its data lie elsewhere"),
        (lambda file: file.create_dataset("a", (2,), h5py.ref_dtype), "'/a' holds references, which is not read"),
        (lambda file: file.create_dataset("a", (2,), [("x", "i4")]), "'/a' holds .*, which is not read"),
        (lambda file: file.create_dataset("a", (2,), h5py.vlen_dtype(h5py.ref_dtype)), "which is not read"),
        (lambda file: file.create_dataset("a", (2,), "complex64"), "holds complex64"),
        (lambda file: file.create_dataset("a", (2**40,), "u1", chunks=(2**20,)), "more than a file of .* bytes holds"),
        (lambda file: file.create_dataset("a", (2**50, 0), "u1"), "more than a file of .* bytes holds"),
        (lambda file: file.create_dataset("a", data=3), "no columns in '/'"),
        (
            lambda file: file.update({"a": [b"1"], "a.frames": [7]}),
            "'a.frames': expected one whole number for each row",
        ),
        (lambda file: file.update({"a": [b"1", b"2"], "a.frames": [1]}), "'a.frames': counts 1 items, there are 2"),
    ],
    ids=lambda value: None if callable(value) else value[:24],
)
def test_what_leads_elsewhere_or_lies_is_refused(made, fill, said):
    with pytest.raises(FormatError, match=said) as error:
        made(fill).sample(0)
    assert "data.h5" in str(error.value)


def test_text_that_is_none_is_an_error(made):
    with pytest.raises(FormatError, match="'/a': text that is not UTF-8"):
        made(lambda file: file.update({"a": np.array([b"\xff"])})).sample(0)


@pytest.mark.parametrize("options", [{}, {"chunks": (2,)}, {"chunks": (2,), "compression": "gzip"}], ids=str)
@pytest.mark.parametrize("userblock", [0, 512])
def test_rows_of_any_length_lie_anywhere(tmp_path, options, userblock):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=userblock) as file:
        file.create_dataset("title", (5,), h5py.string_dtype(), **options)[:] = ["a", "", "ccc", "ä", "e" * 5000]
        file.create_dataset("never", (5,), h5py.vlen_dtype(np.uint8), **options)
        order = "<" if "compression" in options else ">"
        numbers = file.create_dataset("v", (5,), h5py.vlen_dtype(np.dtype(f"{order}i2")), **options)
        for n in range(5):
            numbers[n] = np.arange(n)
        file["fixed"] = np.array([b"a", b"bc", b"", b"d", b"e"])
    with closing(Hdf5Dataset(tmp_path / "a.h5")) as dataset:
        rows = [dataset.sample(n) for n in range(5)]
        assert dataset.getall_title() == [row["title"] for row in rows] == ["a", "", "ccc", "ä", "e" * 5000]
        assert [row["never"] for row in rows] == [b""] * 5
        assert [row["v"].tolist() for row in rows] == [list(range(n)) for n in range(5)]
        assert [row["fixed"] for row in rows] == ["a", "bc", "", "d", "e"]


def test_numbers_come_in_the_byte_order_of_this_machine(made):
    stored = np.arange(6, dtype=">i2").reshape(3, 2)
    dataset = made(lambda file: file.update({"a": stored, "b": stored[:, 0]}))
    assert (dataset.sample(1)["a"].tolist(), dataset.sample(1)["b"]) == ([2, 3], 2)
    for values in (dataset.sample(1)["a"], dataset.getall_a(), dataset.getall_b()):
        assert values.dtype == np.dtype("=i2")
    assert np.array_equal(dataset.getall_a(), stored)


def test_what_the_library_reads_wrong_is_refused(made):
    with pytest.raises(FormatError, match="compressed rows of >i2, which h5py does not swap"):
        len(made(lambda file: file.create_dataset("v", (2,), h5py.vlen_dtype(np.dtype(">i2")), compression="gzip")))


@given(st.binary(min_size=16, max_size=16), st.integers(0, 40))
@settings(deadline=None)
def test_a_damaged_heap_ends_in_errors_of_ours(tmp_path_factory, junk, at):
    """What the library would take for a length, and crash."""
    path = tmp_path_factory.mktemp("damaged") / "a.h5"
    with h5py.File(path, "w") as file:
        file["image"] = np.array([b"12", b"345"], h5py.string_dtype())
        place = file["image"].id.get_offset()
    content = bytearray(path.read_bytes())
    place = place if at < 16 else content.index(b"GCOL") + at - 16
    content[place : place + 16] = junk
    path.write_bytes(content)
    with closing(Hdf5Dataset(path)) as dataset, suppress(FormatError):
        [dataset.sample(n) for n in range(2)]


def test_a_reference_to_nothing_is_an_error(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["image"] = np.array([b"12", b"345"], h5py.string_dtype())
        place = file["image"].id.get_offset()
    content = bytearray((tmp_path / "a.h5").read_bytes())
    content[place : place + 4] = b"\0\0\1\0"
    (tmp_path / "a.h5").write_bytes(content)
    with closing(Hdf5Dataset(tmp_path / "a.h5")) as dataset:
        with pytest.raises(
            FormatError, match=r"a\.h5: '/image', row 0: 65536 bytes of object 2 at byte .*, which has not"
        ):
            dataset.sample(0)
        assert dataset.sample(1)["image"] == "345"


def test_text_with_a_nul_is_not_cut_off(tmp_path):
    with pytest.raises(FormatError, match="has a NUL"):
        Hdf5Dataset.write(tmp_path / "a.hdf5", [{"key": "a\0b"}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["_MAX_FRAMES", "class_names", "image.frames"])
def test_names_with_a_meaning_are_not_written(tmp_path, name):
    with pytest.raises(FormatError, match="a column cannot be called"):
        Hdf5Dataset.write(tmp_path / "a.hdf5", [{"key": "a", name: 1}])


def test_a_file_cut_off_is_an_error(tmp_path):
    path = tmp_path / "a.hdf5"
    Hdf5Dataset.write(path, samples(3))
    content = path.read_bytes()
    for size in (0, 5, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with (
            closing(Hdf5Dataset(path)) as dataset,
            pytest.raises(FormatError, match=r"a\.hdf5: cannot be read as HDF5"),
        ):
            [dataset.sample(n) for n in range(3)]


def test_files_that_are_none(tmp_path):
    with pytest.raises(DatasetError, match="is not a file"):
        len(Hdf5Dataset(tmp_path))
    (tmp_path / "photos.hdf5").touch()
    with pytest.raises(DatasetError, match=r"no such file, did you mean 'photos\.hdf5'"):
        len(Hdf5Dataset(tmp_path / "photo.hdf5"))


def test_a_child_process_opens_the_file_for_itself(tmp_path):
    Hdf5Dataset.write(tmp_path / "a.hdf5", samples(3))
    with closing(Hdf5Dataset(tmp_path / "a.hdf5")) as dataset:
        first = dataset.sample(0)
        child = os.fork()
        if child == 0:
            os._exit(0 if dataset.sample(0) == first and dataset.sample(2)["label"] == 2 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert dataset.sample(0) == first


def test_h5py_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingPackageError, match=r"needs h5py: pip install 'leaven\[hdf5\]'"):
        len(Hdf5Dataset(tmp_path / "a.hdf5"))


def test_chunks_that_unpack_to_more_than_a_row_may_take_are_refused(made):
    def fill(file):
        file.create_dataset("label", (10,), "f8", maxshape=(None,), chunks=(1 << 28,), compression="gzip")

    with pytest.raises(FormatError, match=r"'/label' lies in packed chunks of 2147483648 bytes"):
        len(made(fill))
