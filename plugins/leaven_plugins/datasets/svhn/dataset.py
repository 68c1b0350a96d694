"""Svhn: house numbers, read from MATLAB files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, MissingPackageError, printable
from leaven_plugins.datasets.standard import StandardDataset
from leaven_plugins.datasets.standard_store import Arrays, Declaration
from leaven_plugins.fetching.sources import Download

_MIRROR = "http://ufldl.stanford.edu/housenumbers/"
_AT_ONCE = 10_000  # of the 531,131 pictures in the largest file, so that they are not in memory twice


def convert(files: Mapping[str, Path], arrays: Arrays) -> None:
    """Make the arrays of each file, named as its part."""
    for name, path in files.items():
        part = name.partition("_")[0]
        images, labels = _read(path)
        count = len(labels)
        with arrays.growing(f"{part}_X_u8", (count, 3, 32, 32), np.uint8) as add:
            for start in range(0, count, _AT_ONCE):
                add(images[..., start : start + _AT_ONCE].transpose(3, 2, 0, 1))
        arrays.save(f"{part}_y", labels)


def _read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return ``X`` (32, 32, 3, n) and the labels (n,), of which 10 is the digit 0."""
    content = _loaded(path)
    images, labels = content.get("X"), content.get("y")
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[:-1] != (32, 32, 3):
        raise FormatError(f"{path}: has no X of shape (32, 32, 3, n) and type uint8")
    count = images.shape[-1]
    if not isinstance(labels, np.ndarray) or labels.shape != (count, 1) or labels.dtype.kind not in "ui":
        raise FormatError(f"{path}: has no y of shape ({count}, 1) of whole numbers")
    if count and not 0 <= labels.min() <= labels.max() <= 10:
        raise FormatError(f"{path}: has labels from {labels.min()} to {labels.max()}, expected 1 to 10")
    return images, labels[:, 0].astype(np.int32) % 10


def _loaded(path: Path) -> Mapping[str, Any]:
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise MissingPackageError("dataset:svhn needs scipy: pip install 'leaven[standard]'", name="scipy") from error
    try:
        content: Mapping[str, Any] = loadmat(path, variable_names=["X", "y"])
    except Exception as error:  # of any type: scipy does not promise one
        raise FormatError(f"{path}: is no MATLAB file that can be read: {printable(str(error))}") from error
    return content


def _declared(name: str, files: Mapping[str, str], spec: str = "") -> Declaration:
    downloads = [Download(file, [_MIRROR + file], sha256) for file, sha256 in files.items()]
    parts = [file.partition("_")[0] for file in files]
    arrays = [f"{part}_{kind}" for part in parts for kind in ("X_u8", "y")]
    return Declaration(name, downloads, arrays, convert, spec=spec)


class Svhn(StandardDataset):
    """House numbers from photographs, in colour, 32 x 32: 73,257 digits for training, 26,032 for tests.

    There are 531,131 more, ``extra_X``, ``extra_X_u8`` and ``extra_y``, of 1.3 GB. Arrays are ``(n, 3, 32, 32)``.

    Args:
        split: ``train``, ``val``, ``test`` or ``extra``.
        n_val: how many samples are in ``val``: the last ones of those for training, which ``train`` has not.
        val_lower: what a pixel of 0 is in ``train_X`` and the like.
        val_upper: what a pixel of 255 is.
        extra: whether the further digits are there as well; with the split ``extra`` they always are.
        data_dir: the folder of all data.
        from_dir: a folder that has the original files already.
        download: whether original files that are not there are downloaded at the first access.
    """

    declaration = _declared(
        "svhn",
        {
            "train_32x32.mat": "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            "test_32x32.mat": "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        },
    )
    further = _declared(
        "svhn_extra",
        {"extra_32x32.mat": "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3"},
        "svhn(extra=True)",
    )
    names = tuple("0123456789")
    parts = {**StandardDataset.parts, "extra": "extra"}

    def __init__(
        self,
        split: str = "train",
        n_val: int | None = 10_000,
        val_lower: float = 0.0,
        val_upper: float = 1.0,
        extra: bool = False,
        data_dir: str | Path | None = None,
        from_dir: str | Path | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(split, n_val, val_lower, val_upper, data_dir, from_dir, download)
        self.extra = extra

    def _declarations(self) -> Sequence[Declaration]:
        return (self.declaration, self.further) if self.extra or self.split == "extra" else (self.declaration,)
