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


def maps():
    """Scores of three classes for each pixel; class 2 is never there, some pixels do not count."""
    random = torch.Generator().manual_seed(1)
    found = []
    for rows in (2, 1, 3):
        label = torch.randint(2, (rows, 5, 4), generator=random)
        label[:, 0, 0] = -100
        found.append({"output": torch.randn((rows, 3, 5, 4), generator=random), "label": label})
    return found


def images():
    random = torch.Generator().manual_seed(2)
    return [
        {
            "output": torch.rand((rows, 3, 13, 12), generator=random),
            "target_image": torch.rand((rows, 3, 13, 12), generator=random).round(),
        }
        for rows in (2, 1, 3)
    ]


class TestAccuracy(MetricContract):
    spec = "metric:accuracy"
    params = {"top_k": [1, 3]}
    batches = batches()


class TestAverage(MetricContract):
    spec = "metric:average"
    batches = batches()


class TestConfusionMatrix(MetricContract):
    spec = "metric:confusion_matrix"
    params = {"classes": 3, "names": ["sky", "tree", "sea"]}
    batches = maps()


class TestIoU(MetricContract):
    spec = "metric:iou"
    params = {"classes": 3, "per_class": True}
    batches = maps()


class TestDice(MetricContract):
    spec = "metric:dice"
    params = {"classes": 3, "per_class": True}
    batches = maps()


class TestPrecision(MetricContract):
    spec = "metric:precision"
    params = {"classes": 6}
    batches = batches()


class TestRecall(MetricContract):
    spec = "metric:recall"
    params = {"classes": 6, "average": "weighted"}
    batches = batches()


class TestF1(MetricContract):
    spec = "metric:f1"
    params = {"classes": 6, "per_class": True}
    batches = batches()


class TestAUC(MetricContract):
    spec = "metric:auc"
    params = {"per_class": True}
    batches = batches()


class TestMSE(MetricContract):
    spec = "metric:mse"
    batches = images()


class TestPSNR(MetricContract):
    spec = "metric:psnr"
    batches = images()


class TestNSS(MetricContract):
    spec = "metric:nss"
    batches = images()


class TestSSIM(MetricContract):
    spec = "metric:ssim"
    batches = images()


class TestGlobalSSIM(MetricContract):
    spec = "metric:ssim_global"
    batches = images()


class TestNoop(MetricContract):
    spec = "metric:noop"
    has_values = False
    batches = batches()


class TestCombined(MetricContract):
    spec = "metric:combined"
    params = {"metrics": ["accuracy", {"use": "auc"}, {"use": "average", "output_key": "loss"}]}
    batches = batches()


class TestTorchMetricOfCounts(MetricContract):
    spec = "metric:torchmetrics"
    params = {"name": "Accuracy", "params": {"task": "multiclass", "num_classes": 6}}
    batches = batches()


class TestTorchMetricOfLists(MetricContract):
    spec = "metric:torchmetrics"
    params = {"name": "AUROC", "params": {"task": "multiclass", "num_classes": 6}, "prepare": "softmax"}
    batches = batches()
