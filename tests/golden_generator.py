"""Golden cases of nebulae's Generator: ADAPTERS maps "nebulae:family" to function(args, root) -> what is ``expected``.

The table is read and written as HDF5; its images are those that the original has encoded, read from its file: how many
bytes they have depends on the encoder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from packaging.version import Version

from leaven_plugins.datasets.csv.dataset import CsvDataset
from leaven_plugins.datasets.hdf5.dataset import Hdf5Dataset

_TYPES = ["vuint8", "int8", "vint16", "float32", "str"]


def _generator(args: dict[str, Any], root: Path) -> Any:
    if "csv" not in args:
        return None  # as published it never worked
    table = CsvDataset(root / args["csv"], dtype=args.get("dtype"), sequence="dtype" not in args)
    images = Hdf5Dataset(root / args["file"]) if "file" in args else None
    return _written(_samples(table, images), "written.hdf5")["written.hdf5"]


def _shards(args: dict[str, Any], root: Path) -> Any:
    return {name: [len(file["label"]["values"])] for name, file in _shards_fixed(args, root).items()}


def _shards_fixed(args: dict[str, Any], root: Path) -> Any:
    table = CsvDataset(root / "nebulae_files/src/list.csv", dtype=_TYPES)
    images = Hdf5Dataset(root / "nebulae_files/plain_png.hdf5")
    assert len(table) == args["n"]
    return _written(_samples(table, images), f"shard{args['nshard']}.hdf5", shards=args["nshard"])


def _ver2num(args: dict[str, Any], root: Path) -> Any:
    version = Version(args["version"])
    return version.major * 10_000 + version.minor * 100 + version.micro


def _samples(table: CsvDataset, images: Hdf5Dataset | None) -> Iterator[dict[str, Any]]:
    for position in range(len(table)):
        sample = dict(table.sample(position))
        yield sample | ({"image": images.sample(position)["image"]} if images else {})


def _written(samples: Iterator[dict[str, Any]], name: str, **options: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        Hdf5Dataset.write(Path(folder) / name, samples, **options)
        return {path.name: _described(path) for path in sorted(Path(folder).iterdir())}


def _described(path: Path) -> dict[str, Any]:
    with h5py.File(path) as file:
        return {name: _column(name, file[name]) for name in file if name != "key"}


def _column(name: str, dataset: Any) -> dict[str, Any]:
    described = {
        "shape": list(dataset.shape),
        "dtype": str(dataset.dtype),
        "vlen": str(h5py.check_dtype(vlen=dataset.dtype)),
    }
    if name == "image":
        images = [cv2.imdecode(data, cv2.IMREAD_COLOR) for data in dataset]
        return described | {
            "decoded_shapes": [list(image.shape) for image in images],
            "nbytes": [len(data) for data in dataset],
        }
    return described | {"values": _plain(dataset[()].tolist() if dataset.shape else dataset[()])}


def _plain(values: Sequence[Any] | Any) -> Any:
    if isinstance(values, bytes):
        return values.decode()
    if isinstance(values, (list, np.ndarray)):
        return [_plain(value) for value in values]
    return values.item() if isinstance(values, np.generic) else values


ADAPTERS: dict[str, Callable[[dict[str, Any], Path], Any]] = {
    "nebulae:generator": _generator,
    "nebulae:generator_shards": _shards,
    "nebulae:generator_shards_fixed": _shards_fixed,
    "nebulae:ver2num": _ver2num,
}

FAULTS = {
    "nebulae:generator/seq": "N004: lists of files fail in every release",
    "nebulae:generator/unpatched": "N012: as published, nothing can be generated",
    "nebulae:generator_shards/3": "N011: shards of one row fail",
    "nebulae:generator_shards/5": "N011: shards of one row fail",
    "nebulae:generator_shards_fixed/5": "N011: three shards where five were asked for",
}
