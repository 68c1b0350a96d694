"""Stl10: colour pictures with few labels, read from an archive of plain bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, ParameterError
from leaven_plugins.datasets.standard import Rows, StandardDataset
from leaven_plugins.datasets.standard_store import Arrays, Declaration
from leaven_plugins.fetching.archives import Member, tar_members
from leaven_plugins.fetching.sources import Download

_ARCHIVE = "stl10_binary.tar.gz"
_IMAGES = {"train_X.bin": "train_X_u8", "test_X.bin": "test_X_u8", "unlabeled_X.bin": "unl_X_u8"}
_LABELS = {"train_y.bin": "train_y", "test_y.bin": "test_y"}
_SHAPE = (3, 96, 96)
_BYTES = 3 * 96 * 96
_AT_ONCE = 500  # pictures: the 100,000 without a label are 2.8 GB
_MOST = 1 << 32  # bytes unpacked; it is 3.2 GB
_CLASSES = 10


def convert(files: Mapping[str, Path], arrays: Arrays) -> None:
    """Make the arrays of the members of the archive, in the order in which they come."""
    path = files[_ARCHIVE]
    names = [*_IMAGES, *_LABELS, "class_names.txt", "fold_indices.txt"]
    for member in tar_members(path, [f"stl10_binary/{name}" for name in names], _MOST):
        name = member.name.rpartition("/")[2]
        if name in _IMAGES:
            _save_images(_IMAGES[name], member, path, arrays)
        elif name in _LABELS:
            arrays.save(_LABELS[name], _labels(member, path))
        elif name == "class_names.txt":
            arrays.save("class_names", np.array(_text(member, path).split(), np.str_))
        else:
            _save_folds(_text(member, path), path, arrays)


def _save_images(name: str, member: Member, path: Path, arrays: Arrays) -> None:
    count, rest = divmod(member.size, _BYTES)
    if rest:
        raise FormatError(f"{path}: {member.name} has {member.size} bytes, which is no multiple of {_BYTES}")
    with arrays.growing(name, (count, *_SHAPE), np.uint8) as add:
        for start in range(0, count, _AT_ONCE):
            data = member.read(min(_AT_ONCE, count - start) * _BYTES, path)
            add(np.frombuffer(data, np.uint8).reshape(-1, *_SHAPE).transpose(0, 1, 3, 2))  # columns come first


def _labels(member: Member, path: Path) -> NDArray[np.int32]:
    labels = np.frombuffer(member.read(member.size, path), np.uint8).astype(np.int32) - 1
    if labels.size and not 0 <= labels.min() <= labels.max() < _CLASSES:
        raise FormatError(f"{path}: {member.name} has labels that are not 1 to {_CLASSES}")
    return labels


def _save_folds(text: str, path: Path, arrays: Arrays) -> None:
    try:
        folds = [np.array(line.split(), np.int32) for line in text.splitlines() if line.strip()]
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{path}: fold_indices.txt is no table of whole numbers: {error}") from error
    arrays.save("fold_indices", np.concatenate([np.zeros(0, np.int32), *folds]))
    arrays.save("fold_lengths", np.array(list(map(len, folds)), np.int32))


def _text(member: Member, path: Path) -> str:
    return member.read(member.size, path).decode("latin1")


class Stl10(StandardDataset):
    """Photographs of 10 kinds of things, in colour, 96 x 96: 5,000 for training, 8,000 for tests, 100,000 unlabelled.

    Arrays are ``(n, 3, 96, 96)``; those without a label are ``unl_X`` and ``unl_X_u8``.

    Args:
        split: ``train``, ``val``, ``test`` or ``unlabelled``.
        n_val_folds: ``val`` is the last so many of the folds that the authors have chosen, one after the other, and
            ``train`` is what is in none of these. Several of the folds have pictures in common, which are in ``val``
            more than once then.
        val_lower: what a pixel of 0 is in ``train_X`` and the like.
        val_upper: what a pixel of 255 is.
        data_dir: the folder of all data.
        from_dir: a folder that has the original file already.
        download: whether the original file is downloaded at the first access, if it is not there.
    """

    declaration = Declaration(
        "stl10",
        [
            Download(
                _ARCHIVE,
                [f"{scheme}://ai.stanford.edu/~acoates/stl10/{_ARCHIVE}" for scheme in ("https", "http")],
                "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
            )
        ],
        (*_IMAGES.values(), *_LABELS.values(), "class_names", "fold_indices", "fold_lengths"),
        convert,
    )
    parts = {**StandardDataset.parts, "unlabelled": "unl"}

    def __init__(
        self,
        split: str = "train",
        n_val_folds: int | None = 1,
        val_lower: float = 0.0,
        val_upper: float = 1.0,
        data_dir: str | Path | None = None,
        from_dir: str | Path | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(split, 0, val_lower, val_upper, data_dir, from_dir, download)
        self.n_val_folds = n_val_folds or 0
        if self.n_val_folds < 0:
            raise ParameterError(f"stl10: n_val_folds={n_val_folds}: must not be negative")

    @property
    def folds(self) -> tuple[NDArray[np.int32], ...]:
        """The folds of the authors: positions among the pictures for training."""
        ends = np.cumsum(self._array("fold_lengths"))
        return tuple(np.split(self._array("fold_indices"), ends[:-1])) if len(ends) else ()

    def _divided(self) -> tuple[Rows, Rows]:
        count, folds = len(self._array("train_X_u8")), self.folds
        if self.n_val_folds > len(folds):
            raise ParameterError(f"stl10: n_val_folds={self.n_val_folds}, there are {len(folds)} folds")
        if not self.n_val_folds:
            return range(count), range(0)
        held_out = np.concatenate(folds[-self.n_val_folds :]).astype(np.intp)
        if held_out.size and not 0 <= held_out.min() <= held_out.max() < count:
            raise FormatError(f"stl10: the folds have positions that are not 0 to {count - 1}")
        return np.setdiff1d(np.arange(count), held_out), held_out
