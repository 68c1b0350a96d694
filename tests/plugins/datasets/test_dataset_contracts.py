from __future__ import annotations

import pytest

from leaven.testing import DatasetContract
from leaven.testing.tools import picture, png


class TestMsgpack(DatasetContract):
    spec = "dataset:msgpack"


class TestFolder(DatasetContract):
    spec = "dataset:folder"
    samples = None

    @pytest.fixture
    def arguments(self, tmp_path):
        for seed, name in enumerate(("ant/1.png", "ant/2.png", "bee/1.png")):
            file = tmp_path / "images" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png(picture(seed=seed)))
        return {"path": str(tmp_path / "images")}


class TestDigits(DatasetContract):
    spec = "dataset:digits"
    samples = None
    params = {"split": "val"}
