from __future__ import annotations

from leaven.testing import DatasetContract, tools


class TestMapped(DatasetContract):
    spec = "dataset:msgpack"
    params = {"mapped": True}


class TestWithColumns(DatasetContract):
    spec = "dataset:msgpack"
    samples = [{**sample, "key": f"{n}-{sample['key']}"} for n in range(250) for sample in tools.samples(4, 4, 4)]
