"""The standard sets read from files in their original formats."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from leaven.errors import DatasetError, FormatError, ParameterError
from leaven_plugins.datasets.cifar import Cifar10, Cifar100
from leaven_plugins.datasets.mnist import FashionMnist, Mnist
from leaven_plugins.datasets.stl10 import Stl10
from leaven_plugins.datasets.svhn import Svhn
from leaven_plugins.datasets.usps import Usps
from leaven_plugins.fetching.verifying import digest_of

SETS = {"mnist": Mnist, "svhn": Svhn, "cifar10": Cifar10, "cifar100": Cifar100, "stl": Stl10}


def accepting(cls, folder):
    """Return the class with the digests of the files in a folder, which are not the real ones."""
    attributes = {}
    for name in ("declaration", "further"):
        declaration = getattr(cls, name, None)
        if declaration is not None:
            sources = [replace(s, sha256=_digest(folder / s.filename)) for s in declaration.sources]
            attributes[name] = replace(declaration, sources=sources)
    return type(cls.__name__, (cls,), attributes)


def _digest(path):
    return digest_of(path) if path.exists() else "0" * 64


@pytest.fixture
def make(tmp_path):
    """Make a set of the files in ``tmp_path / "files"``."""
    (tmp_path / "files").mkdir()

    def make(cls, *args, **kwargs):
        files = kwargs.pop("files", tmp_path / "files")
        return accepting(cls, files)(*args, from_dir=str(files), data_dir=tmp_path / "data", **kwargs)

    make.files = tmp_path / "files"
    return make


# ---- what the original has made of the same files


@pytest.fixture
def sources(golden, make):
    for path in (golden / "batchup_files" / "sources").iterdir():
        (make.files / path.name.removeprefix("mnist-")).write_bytes(path.read_bytes())
    return json.loads((golden / "batchup_files" / "expected.json").read_text("utf-8"))["expected_after_loading"]


@pytest.mark.parametrize("name", SETS)
def test_as_the_original_reads_them(make, sources, name):
    expected = sources[name]
    options = {key: expected[key] for key in ("n_val", "n_val_folds") if key in expected}
    dataset = make(SETS[name], **options, **({"extra": True} if name == "svhn" else {}))
    found = {key: getattr(dataset, key, None) for key in expected}
    found |= {"train_X_dtype": dataset.train_X.dtype.name, "train_X_sum": np.asarray(dataset.train_X).sum()}
    if name == "mnist":
        assert np.allclose(dataset.test_X[0, 0, 0, :6], expected["test_X_first_row"], 0, 1e-6)
        assert found["train_X_sum"] == pytest.approx(expected["train_X_sum"], rel=1e-5)
    if name == "cifar100":
        assert dataset.class_names_coarse[-1] == expected["class_names_coarse_last"]
        assert dataset.getitem_label_coarse(0) == expected["train_y_coarse"][0]
        assert dataset.getall_label_coarse().tolist() == expected["train_y_coarse"]
    if name == "stl":
        assert [fold.tolist() for fold in dataset.folds] == expected["tr_folds"]
        assert dataset.train_X_u8[0, 0, 1, 2] == expected["train_X_u8_0_0_1_2"]
    for key, value in expected.items():
        if key.endswith(("_y", "_y_coarse")) or key == "class_names":
            assert list(found[key]) == value, key
        elif key.endswith("_X"):
            assert found[key].shape == tuple(value), key


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar100"])
def test_the_arrays_are_those_of_the_original(golden, make, sources, name):
    h5py = pytest.importorskip("h5py")
    dataset = make(SETS[name], n_val=0)
    with h5py.File(golden / "batchup_files" / f"{name}.h5") as original:
        for key, array in original[name].items():
            if not key.startswith("class_names"):
                assert np.array_equal(getattr(dataset, key), array[()]), key
                assert getattr(dataset, key).dtype == array.dtype


def test_the_pictures_of_svhn_are_those_of_the_matlab_files(make, sources):
    loadmat = pytest.importorskip("scipy.io").loadmat
    dataset = make(Svhn, "test")
    original = loadmat(make.files / "test_32x32.mat")["X"]
    for index in range(len(dataset)):
        assert np.array_equal(dataset.sample(index)["image"], original[..., index])


def test_stl10_without_labels_and_with_several_folds(make, sources):
    unlabelled = make(Stl10, "unlabelled")
    assert len(unlabelled) == len(unlabelled.unl_X) == 1
    assert unlabelled.sample(0).keys() == {"key", "image"}
    assert np.array_equal(unlabelled.sample(0)["image"], unlabelled.unl_X_u8[0].transpose(1, 2, 0))
    with pytest.raises(ParameterError, match="the split 'unlabelled' has no labels"):
        unlabelled.getall_label()
    two = make(Stl10, "val", n_val_folds=2)
    assert len(two) == 4  # two folds of two, with one picture in common
    assert [two.key(i) for i in range(4)] == [f"val-{i:05d}" for i in range(4)]
    assert len(two.train_y) == 1
    assert len(make(Stl10, n_val_folds=0)) == 4
    assert len(make(Stl10, n_val_folds=None).val_X) == 0
    with pytest.raises(ParameterError, match="n_val_folds=4, there are 3 folds"):
        len(make(Stl10, n_val_folds=4))


def test_svhn_has_its_extra_part_only_where_it_is_asked_for(make, sources):
    with pytest.raises(AttributeError):
        make(Svhn, n_val=1).extra_X
    extra = make(Svhn, "extra")
    assert extra.getall_label().tolist() == extra.extra_y.tolist() == [0, 4, 9, 0]
    assert extra.key(3) == "extra-00003"


# ---- files made here


def idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def write_mnist(folder, train=6, test=3):
    rng = np.random.default_rng(0)
    for name, count in (("train", train), ("t10k", test)):
        idx(folder / f"{name}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28), np.uint8))
        idx(folder / f"{name}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def write_cifar10(folder, content):
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    members = {f"cifar-10-batches-py/{name}": pickle.dumps(content, 2) for name in names}
    write_tar(folder / "cifar-10-python.tar.gz", members)


def test_both_mnists_read_idx_files(make):
    write_mnist(make.files)
    for cls in (Mnist, FashionMnist):
        dataset = make(cls, "test", n_val=2)
        assert len(dataset) == 3
        assert len(dataset.class_names) == 10
        assert dataset.getall_label().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (bytes([0, 0, 8, 1, 0, 0, 0, 6]) + bytes(5), r"has 13 bytes, 14 are needed for \(6,\)"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 6]) + bytes(7), "has 15 bytes, 14 are needed"),
        (bytes([0, 0, 8, 1, 255, 255, 255, 255]), "are needed"),
        (
            bytes([0, 0, 9, 1, 0, 0, 0, 6]) + bytes(6),
            "is no IDX file of bytes in 1 dimensions: it begins with 00000901",
        ),
        (bytes([0, 0, 8, 1, 0]), "is no IDX file"),
        (b"", "is no IDX file"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 6]) + b"\x0a" * 6, "has the label 10, there are 10 classes"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 5]) + bytes(5), r"train_y is \(5,\) int32, not int32 for 6 pictures"),
    ],
)
def test_idx_files_that_are_none(make, content, problem):
    write_mnist(make.files)
    (make.files / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content))
    dataset = make(Mnist)
    with pytest.raises(FormatError, match=problem):
        len(dataset)
    assert [path.name for path in (make.files.parent / "data" / "mnist").iterdir()] == []


def test_a_file_that_is_no_gzip(make):
    write_mnist(make.files)
    (make.files / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>")
    with pytest.raises(FormatError, match=r"train-labels-idx1-ubyte.gz: is no archive"):
        len(make(Mnist))


GOOD = {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 9]}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"data": np.zeros((2, 3071), np.uint8)}, "data_batch_1: has no data of shape"),
        ({"data": [1]}, "has no data of shape"),
        ({"labels": [0, 10]}, "no list labels of whole numbers from 0 to 9"),
        ({"labels": [0, "1"]}, "no list labels"),
        ({"labels": [0]}, r"train_y is \(5,\) int32, not int32 for 10 pictures"),
    ],
    ids=range(5),
)
def test_batches_that_are_none(make, changed, problem):
    write_cifar10(make.files, GOOD | changed)
    with pytest.raises(FormatError, match=problem):
        len(make(Cifar10, n_val=1))


PICTURE = bytes(3 * 96 * 96)
STL10 = {
    "train_X.bin": PICTURE * 2,
    "train_y.bin": b"\1\12",
    "test_X.bin": PICTURE,
    "test_y.bin": b"\3",
    "unlabeled_X.bin": b"",
    "class_names.txt": b"a\nb\n",
    "fold_indices.txt": b"0 \n1 \n",
}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"train_X.bin": PICTURE + b"x"}, "train_X.bin has 27649 bytes, which is no multiple of 27648"),
        ({"train_X.bin": PICTURE}, r"train_y is \(2,\) int32, not int32 for 1 pictures"),
        ({"train_y.bin": b"\0\1"}, "train_y.bin has labels that are not 1 to 10"),
        ({"fold_indices.txt": b"0 x"}, "fold_indices.txt is no table of whole numbers"),
        ({"fold_indices.txt": b"0 2"}, "the folds have positions that are not 0 to 1"),
        ({"class_names.txt": None}, "has no stl10_binary/class_names.txt"),
    ],
    ids=range(6),
)
def test_archives_of_stl10_that_are_none(make, changed, problem):
    members = {f"stl10_binary/{name}": data for name, data in (STL10 | changed).items() if data is not None}
    write_tar(make.files / "stl10_binary.tar.gz", members)
    with pytest.raises(FormatError, match=problem):
        len(make(Stl10))


def test_stl10_of_a_few_pictures(make):
    write_tar(make.files / "stl10_binary.tar.gz", {f"stl10_binary/{name}": data for name, data in STL10.items()})
    assert make(Stl10).getall_label().tolist() == [0]
    assert make(Stl10, "val").getall_label().tolist() == [9]
    assert len(make(Stl10, "unlabelled")) == 0


def test_usps_keeps_its_numbers(make):
    h5py = pytest.importorskip("h5py")
    images = np.random.default_rng(0).random((5, 1, 16, 16), np.float32)
    write_usps(h5py, make.files / "usps.h5", images)
    dataset = make(Usps, n_val=2, val_lower=-1.0)
    assert np.array_equal(make(Usps, n_val=2).train_X[:], images[:3])
    assert np.allclose(dataset.val_X, images[3:] * 2 - 1, 0, 1e-6)
    assert np.array_equal(dataset.test_X_u8, np.rint(images * 255))
    assert dataset.sample(0)["image"].shape == (16, 16, 1)
    assert len(make(Usps, "val", n_val=2)) == 2


@pytest.mark.parametrize(
    ("value", "problem"), [(1.5, "values that are not 0 to 1"), (np.nan, "values that are not 0 to 1")]
)
def test_usps_of_other_numbers(make, value, problem):
    h5py = pytest.importorskip("h5py")
    write_usps(h5py, make.files / "usps.h5", np.full((2, 1, 16, 16), value, np.float32))
    with pytest.raises(FormatError, match=problem):
        len(make(Usps, "test"))
    (make.files / "usps.h5").write_bytes(b"no HDF5")
    with pytest.raises(FormatError, match="cannot be read as HDF5"):
        len(make(Usps, "test"))


def test_usps_of_a_size_that_is_not_read(make):
    h5py = pytest.importorskip("h5py")
    with h5py.File(make.files / "usps.h5", "w") as file:  # nothing is written: it says that it has 200 TB
        file.create_dataset("usps/train_X", (10_000, 1, 50_000, 50_000), np.float64, chunks=(1, 1, 100, 100))
    with pytest.raises(FormatError, match=r"train_X has the shape \(10000, 1, 50000, 50000\), not \('n', 1, 16, 16\)"):
        len(make(Usps))


def write_usps(h5py, path, images):
    with h5py.File(path, "w") as file:
        for part in ("train", "test"):
            file[f"usps/{part}_X"] = images
            file[f"usps/{part}_y"] = np.arange(len(images), dtype=np.int32)


@pytest.mark.parametrize(
    "content", [{"X": np.zeros((32, 32, 3, 2), np.uint8), "y": [[1], [11]]}, {"y": [[1]]}, b"none"]
)
def test_svhn_of_other_content(make, content):
    scipy_io = pytest.importorskip("scipy.io")
    for part in ("train", "test"):
        path = make.files / f"{part}_32x32.mat"
        path.write_bytes(content) if isinstance(content, bytes) else scipy_io.savemat(path, content)
    with pytest.raises(FormatError, match=r"train_32x32.mat: (has|is no)"):
        len(make(Svhn))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(
        DatasetError, match=r"mnist: not in .*mnist: t10k-images.*; to get it: leaven data get mnist, or"
    ):
        len(Mnist(data_dir=tmp_path))
    with pytest.raises(DatasetError, match=r"svhn_extra: .*: extra_32x32.mat; .* leaven data get 'svhn\(extra=True\)'"):
        len(Svhn("extra", data_dir=tmp_path))
    with pytest.raises(DatasetError, match=rf"usps: not in {tmp_path}: usps.h5$"):
        len(Usps(from_dir=tmp_path, data_dir=tmp_path, download=True))
    assert list(tmp_path.iterdir()) == []
