from __future__ import annotations

import pytest

from leaven.testing import MetricContract

torch = pytest.importorskip("torch")


def batches():
    random = torch.Generator().manual_seed(0)
    return [
        {
            "output": torch.randn((rows, 6), generator=random),
            "label": torch.randint(6, (rows, 1), generator=random),
            "loss": torch.rand((), generator=random),
        }
        for rows in (7, 3, 1, 12)
    ]


class TestAccuracy(MetricContract):
    spec = "metric:accuracy"
    params = {"top_k": [1, 3]}
    batches = batches()


class TestAverage(MetricContract):
    spec = "metric:average"
    batches = batches()
