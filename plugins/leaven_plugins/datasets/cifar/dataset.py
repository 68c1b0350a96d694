"""Cifar10 and Cifar100: small colour pictures, read from archives of pickles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError
from leaven_plugins.datasets.cifar.pickled import load_pickled
from leaven_plugins.datasets.standard import StandardDataset
from leaven_plugins.datasets.standard_store import Arrays, Declaration
from leaven_plugins.fetching.archives import tar_members
from leaven_plugins.fetching.sources import Download

_MIRROR = "https://www.cs.toronto.edu/~kriz/"
_MOST = 1 << 29  # bytes unpacked; it is 186 MB
_BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def convert_10(files: Mapping[str, Path], arrays: Arrays) -> None:
    """Make the arrays of the six batches, the last of which is for tests."""
    contents = _contents(files["cifar-10-python.tar.gz"], "cifar-10-batches-py", _BATCHES)
    batches = [contents[name] for name in _BATCHES]
    for part, chosen in (("train", batches[:-1]), ("test", batches[-1:])):
        arrays.save(f"{part}_X_u8", np.concatenate([_images(batch) for batch in chosen]))
        arrays.save(f"{part}_y", np.concatenate([_labels(batch, "labels", len(_NAMES)) for batch in chosen]))


def convert_100(files: Mapping[str, Path], arrays: Arrays) -> None:
    """Make the arrays of the two parts, and those of the names."""
    contents = _contents(files["cifar-100-python.tar.gz"], "cifar-100-python", ["train", "test", "meta"])
    names = {kind: _names(contents["meta"], f"{kind}_label_names") for kind in ("fine", "coarse")}
    arrays.save("class_names", names["fine"])
    arrays.save("class_names_coarse", names["coarse"])
    for part in ("train", "test"):
        arrays.save(f"{part}_X_u8", _images(contents[part]))
        arrays.save(f"{part}_y", _labels(contents[part], "fine_labels", len(names["fine"])))
        arrays.save(f"{part}_y_coarse", _labels(contents[part], "coarse_labels", len(names["coarse"])))


def _contents(path: Path, folder: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    contents = {}
    for member in tar_members(path, [f"{folder}/{name}" for name in names], _MOST):
        title = f"{path}: {member.name}"
        contents[member.name.rpartition("/")[2]] = load_pickled(member.read(member.size, path), title) | {"": title}
    return contents


def _images(content: Mapping[str, Any]) -> NDArray[np.uint8]:
    data = content.get("data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072:
        raise FormatError(f"{content['']}: has no data of shape (n, 3072) and type uint8")
    return data.reshape(-1, 3, 32, 32)


def _labels(content: Mapping[str, Any], key: str, classes: int) -> NDArray[np.int32]:
    labels = content.get(key)
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < classes for label in labels):
        raise FormatError(f"{content['']}: has no list {key} of whole numbers from 0 to {classes - 1}")
    return np.array(labels, np.int32)


def _names(content: Mapping[str, Any], key: str) -> NDArray[np.str_]:
    names = content.get(key)
    if not isinstance(names, list) or not all(isinstance(name, (str, bytes)) for name in names):
        raise FormatError(f"{content['']}: has no list {key} of names")
    return np.array([name.decode("latin1") if isinstance(name, bytes) else name for name in names], np.str_)


class Cifar10(StandardDataset):
    """60,000 photographs of 10 kinds of things, in colour, 32 x 32: 50,000 for training, 10,000 for tests.

    Arrays are ``(n, 3, 32, 32)``. Arguments as for
    :class:`~leaven_plugins.datasets.standard.StandardDataset`.
    """

    declaration = Declaration(
        "cifar10",
        [
            Download(
                "cifar-10-python.tar.gz",
                [f"{_MIRROR}cifar-10-python.tar.gz"],
                "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            )
        ],
        ("train_X_u8", "train_y", "test_X_u8", "test_y"),
        convert_10,
    )
    names = _NAMES


class Cifar100(StandardDataset):
    """60,000 photographs of 100 kinds of things in 20 groups, in colour, 32 x 32, divided as those of CIFAR-10.

    A label is the kind; the group is in ``train_y_coarse``, ``val_y_coarse`` and ``test_y_coarse``, and can be read as
    ``label_coarse``.
    """

    declaration = Declaration(
        "cifar100",
        [
            Download(
                "cifar-100-python.tar.gz",
                [f"{_MIRROR}cifar-100-python.tar.gz"],
                "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            )
        ],
        (
            *(f"{part}_{kind}" for part in ("train", "test") for kind in ("X_u8", "y", "y_coarse")),
            "class_names",
            "class_names_coarse",
        ),
        convert_100,
    )

    @property
    def class_names_coarse(self) -> tuple[str, ...]:
        """The names of the groups, in the order of their labels."""
        return tuple(map(str, self._array("class_names_coarse")))

    def getitem_label_coarse(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        """Return the group of a sample."""
        return self._label("y_coarse", index)

    def getall_label_coarse(self) -> NDArray[np.int64]:
        """Return the groups of all samples, ``(n,)``."""
        return self._labels("y_coarse")
