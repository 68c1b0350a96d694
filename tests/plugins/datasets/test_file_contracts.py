"""The contracts of datasets that lie in files of common formats, and of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaven.testing import DatasetContract
from leaven.testing.tools import samples


class InClassFolders(DatasetContract):
    """Keys are paths, and samples come in the order of their classes."""

    samples = sorted(
        [
            {**sample, "label": n % 2, "_label": f"c{n % 2}", "key": f"c{n % 2}/{n}.png"}
            for n, sample in enumerate(samples(5))
        ],
        key=lambda sample: sample["key"],
    )


class TestWrittenFolder(InClassFolders):
    spec = "dataset:folder"


class TestZip(InClassFolders):
    spec = "dataset:zip"


class TestTar(DatasetContract):
    spec = "dataset:tar"


class TestTarWithoutIndex(DatasetContract):
    spec = "dataset:tar"

    @pytest.fixture(autouse=True)
    def alone(self, arguments):
        Path(arguments["path"] + ".index.json").unlink()


class TestTarOfEverything(DatasetContract):
    spec = "dataset:tar"
    samples = [
        {"key": "a.b/../ü", "image": b"?", "label": -1, "mask": np.ones((2, 3), np.float32), "seg.png": b"\x89PNG"},
        {"key": "", "meta": {"a": [1, 2.5, None]}, "_label": "x\ny", "text": "", "flag": True, "raw": b""},
        {
            "key": "__about__",
            "image": np.zeros((2, 2, 3), np.uint8),
            "label": 1 << 62,
            "order": np.asfortranarray([[1, 2]]),
        },
        {"key": "100%/" + "x" * 300, "image": b"\xff\xd8\xff", "png": b"second", "label": "text"},
    ]


class TestParquet(DatasetContract):
    spec = "dataset:parquet"


class TestParquetOfEverything(DatasetContract):
    spec = "dataset:parquet"
    samples = [
        {
            "key": "ü/..",
            "mask": np.eye(2 + n, dtype=np.float16),
            "text": None,
            "n": n,
            "f": 0.5,
            "b": n == 1,
            "l": [[n], []],
        }
        | {"key": f"ü{n}"}
        for n in range(3)
    ]


class TestArrays(DatasetContract):
    spec = "dataset:arrays"
    samples = None
    params = {"arrays": {"image": np.arange(48, dtype=np.uint8).reshape(4, 2, 2, 3), "label": [3, 1, 2, 0]}}
