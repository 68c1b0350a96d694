from __future__ import annotations

import pytest
import torch

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.metrics.average.metric import Average
from leaven_plugins.metrics.mse.metric import MSE

RANDOM = torch.Generator().manual_seed(0)
SCORES = torch.rand((3, 4, 16, 16), generator=RANDOM)
CLASSES = {"output": SCORES, "label": torch.randint(4, (3, 16, 16), generator=RANDOM)}
IMAGES = {"output": SCORES, "target_image": torch.rand((3, 4, 16, 16), generator=RANDOM)}

METRICS = [
    ({"use": "accuracy", "top_k": [1, 2]}, CLASSES),
    ("average", CLASSES),
    ("auc", CLASSES),
    ({"use": "confusion_matrix", "classes": 4}, CLASSES),
    ({"use": "iou", "classes": 4}, CLASSES),
    ({"use": "dice", "classes": 4}, CLASSES),
    ({"use": "f1", "classes": 4}, CLASSES),
    ("mse", IMAGES),
    ("nss", IMAGES),
    ("psnr", IMAGES),
    ("ssim", IMAGES),
    ("ssim_global", IMAGES),
    ({"use": "accuracy", "multi_label": True}, {"output": SCORES[:, :, 0, 0], "label": SCORES[:, :, 0, 0].round()}),
]


@pytest.mark.parametrize(("metric", "sample"), METRICS)
def test_updates_do_not_ask_for_values(metric, sample):
    """Tensors of the meta device have none, so whatever would wait for a device to know one raises here."""
    sample = {key: value.to("meta") for key, value in sample.items()}
    built = create(metric, kind="metric")
    built.update(sample)
    built.update(sample)
    with pytest.raises((NotImplementedError, RuntimeError)):
        built.compute()


@pytest.mark.parametrize(("metric", "sample"), METRICS)
def test_a_batch_without_rows_changes_nothing(metric, sample):
    built, other = (create(metric, kind="metric") for _ in range(2))
    built.update({key: value[:0] for key, value in sample.items()})
    built.update(sample)
    other.update(sample)
    assert built.compute() == pytest.approx(other.compute(), nan_ok=True)


def test_sums_are_exact():
    """In float32 a sum stops growing by ones at 2 ** 24."""
    metric = Average()
    for value in (2.0**24, 1.0, 1.0, 1.0):
        metric.update({"output": torch.tensor([value])})
    assert metric.compute() == {"average_metric": (2**24 + 3) / 4}


def test_half_precision_is_added_up_in_double():
    metric = MSE(target_key="label")
    metric.update({"output": torch.full((4096, 1), 0.1, dtype=torch.bfloat16), "label": torch.zeros(4096)})
    assert metric.compute()["mse"] == pytest.approx(float(torch.tensor(0.1, dtype=torch.bfloat16)) ** 2, rel=1e-6)


def test_no_graph_is_kept():
    output = torch.ones((2, 3), requires_grad=True)
    metric = Average()
    metric.update({"output": output * 2})
    assert not metric.state_dict()["total"].requires_grad


def test_only_the_same_is_merged():
    with pytest.raises(ParameterError, match=r"Accuracy\(top_k=\(1,\).*cannot be merged with Accuracy\(top_k=\(5,\)"):
        Accuracy().merge(Accuracy(top_k=5))
    with pytest.raises(ParameterError, match="cannot be merged with Average"):
        MSE().merge(Average())
    with pytest.raises(ParameterError, match="cannot be merged"):
        create("metric:precision", classes=3, metric_key="x").merge(create("metric:recall", classes=3, metric_key="x"))


def test_a_state_of_another_metric_is_refused():
    state = Accuracy(top_k=(1, 5)).state_dict()
    with pytest.raises(LeavenError, match=r"from a state of hits \(2,\), .*: expected hits \(1,\)"):
        Accuracy().load_state_dict(state)
    with pytest.raises(LeavenError, match=r"expected rows \(\), total \(\)"):
        Average().load_state_dict(state)
