"""Usps: handwritten digits, read from an HDF5 file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, MissingPackageError, printable
from leaven_plugins.datasets.standard import StandardDataset
from leaven_plugins.datasets.standard_store import Arrays, Declaration
from leaven_plugins.fetching.sources import Download

_FILE = "usps.h5"
_MOST = 100_000  # pictures; there are 9,298


def convert(files: Mapping[str, Path], arrays: Arrays) -> None:
    """Make the arrays of the file, with the pictures as they are, 0 to 1, and as bytes."""
    path = files[_FILE]
    for part in ("train", "test"):
        images, labels = _read(path, part)
        arrays.save(f"{part}_X", images)
        arrays.save(f"{part}_X_u8", np.rint(images * 255).astype(np.uint8))
        arrays.save(f"{part}_y", labels)


def _read(path: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    try:
        import h5py
    except ImportError as error:
        raise MissingPackageError("dataset:usps needs h5py: pip install 'leaven[standard]'", name="h5py") from error
    try:
        with h5py.File(path, "r") as file:
            images = _array(path, file, f"usps/{part}_X", (1, 16, 16))
            labels = _array(path, file, f"usps/{part}_y", ())
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: cannot be read as HDF5: {printable(str(error))}") from error
    if images.dtype.kind != "f":
        raise FormatError(f"{path}: usps/{part}_X has the type {images.dtype}, not float32")
    if not (images.size == 0 or (images.min() >= 0 and images.max() <= 1)):  # not so for nan as well
        raise FormatError(f"{path}: usps/{part}_X has values that are not 0 to 1")
    if labels.shape != (len(images),) or not np.isin(labels, range(10)).all():
        raise FormatError(f"{path}: usps/{part}_y is not one digit for each of {len(images)} pictures")
    return images.astype(np.float32), labels.astype(np.int32)


def _array(path: Path, file: Any, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of a number of these shapes; one that is larger than the file may be is not read at all."""
    found = file[name].shape
    if not found or found[0] > _MOST or found[1:] != shape:
        raise FormatError(f"{path}: {name} has the shape {found}, not {('n', *shape)}")
    return np.asarray(file[name])


class Usps(StandardDataset):
    """9,298 handwritten digits from envelopes, grey, 16 x 16: 7,291 for training, 2,007 for tests.

    Arrays are ``(n, 1, 16, 16)``. The original has numbers from 0 to 1, which ``train_X`` and the like are made of;
    ``train_X_u8`` and the samples have them as the nearest of 0 to 255.

    Args:
        split: ``train``, ``val`` or ``test``.
        n_val: how many samples are in ``val``: the last ones of those for training, which ``train`` has not.
        val_lower: what 0 is in ``train_X``, ``val_X`` and ``test_X``.
        val_upper: what 1 is.
        data_dir: the folder of all data.
        from_dir: a folder that has the original file already.
        download: whether the original file is downloaded at the first access, if it is not there.
    """

    declaration = Declaration(
        "usps",
        [
            Download(
                _FILE,
                ["https://github.com/Britefury/usps_dataset/raw/master/usps.h5"],
                "ba768d9a9b11e79b31c1e40130647c4fc04e6afc1fb41a0d4b9f1176065482b4",
            )
        ],
        [f"{part}_{kind}" for part in ("train", "test") for kind in ("X", "X_u8", "y")],
        convert,
    )
    names = tuple("0123456789")

    def __init__(
        self,
        split: str = "train",
        n_val: int | None = 729,
        val_lower: float = 0.0,
        val_upper: float = 1.0,
        data_dir: str | Path | None = None,
        from_dir: str | Path | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(split, n_val, val_lower, val_upper, data_dir, from_dir, download)
