"""Mnist and FashionMnist: small grey pictures, read from IDX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError
from leaven_plugins.datasets.mnist.idx import read_idx
from leaven_plugins.datasets.standard import StandardDataset
from leaven_plugins.datasets.standard_store import Arrays, Declaration
from leaven_plugins.fetching.sources import Download

_PARTS = {"train": "train", "t10k": "test"}
_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_CLASSES = 10


def convert(files: Mapping[str, Path], arrays: Arrays) -> None:
    """Make the arrays of the four files."""
    for prefix, part in _PARTS.items():
        images = read_idx(files[f"{prefix}-images-idx3-ubyte.gz"], 3)
        arrays.save(f"{part}_X_u8", images[:, None])
        arrays.save(f"{part}_y", _labels(files[f"{prefix}-labels-idx1-ubyte.gz"]))


def _labels(path: Path) -> NDArray[np.int32]:
    labels = read_idx(path, 1)
    if labels.size and labels.max() >= _CLASSES:
        raise FormatError(f"{path}: has the label {labels.max()}, there are {_CLASSES} classes")
    return labels.astype(np.int32)


def _declared(name: str, mirrors: Sequence[str], hashes: Sequence[str]) -> Declaration:
    downloads = [
        Download(f"{file}.gz", [f"{mirror}{file}.gz" for mirror in mirrors], sha256)
        for file, sha256 in zip(_FILES, hashes, strict=True)
    ]
    return Declaration(name, downloads, ("train_X_u8", "train_y", "test_X_u8", "test_y"), convert)


class Mnist(StandardDataset):
    """70,000 handwritten digits, grey, 28 x 28: 60,000 for training, 10,000 for tests.

    Arrays are ``(n, 1, 28, 28)``. Arguments as for
    :class:`~leaven_plugins.datasets.standard.StandardDataset`.
    """

    declaration = _declared(
        "mnist",
        [
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ],
        [
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ],
    )
    names = tuple("0123456789")


class FashionMnist(StandardDataset):
    """70,000 pictures of clothes, grey, 28 x 28, in the files and shapes of MNIST."""

    declaration = _declared(
        "fashion_mnist",
        [
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ],
        [
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ],
    )
    names = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
