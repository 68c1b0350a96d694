from __future__ import annotations

import pytest

from leaven.testing import LossContract

torch = pytest.importorskip("torch")

RANDOM = torch.Generator().manual_seed(0)
SCORES = torch.randn((5, 4), generator=RANDOM)
MAPS = torch.randn((3, 4, 6, 5), generator=RANDOM)
MASKS = torch.randint(4, (3, 1, 6, 5), generator=RANDOM)
PICTURES = {"output": MAPS, "target_image": torch.rand(MAPS.shape, generator=RANDOM)}


class TestCrossEntropy(LossContract):
    spec = "loss:cross_entropy"
    sample = {"output": SCORES, "label": torch.randint(4, (5, 1), generator=RANDOM)}


class TestCrossEntropyOfMasks(LossContract):
    spec = "loss:cross_entropy"
    params = {"target_key": "target_image", "weight": [1.0, 1.0, 1.0, 1.0]}
    sample = {"output": MAPS, "target_image": MASKS}


class TestNLL(LossContract):
    spec = "loss:nll"
    sample = {"output": SCORES.log_softmax(1), "label": torch.randint(4, (5, 1), generator=RANDOM)}


class TestLabelSmoothing(LossContract):
    spec = "loss:label_smoothing"
    params = {"smoothing": 0.2}
    sample = {"output": SCORES, "label": SCORES.roll(1, 0).softmax(1)}


class TestL1(LossContract):
    spec = "loss:l1"
    sample = PICTURES


class TestMSE(LossContract):
    spec = "loss:mse"
    sample = PICTURES


class TestHuber(LossContract):
    spec = "loss:huber"
    params = {"delta": 0.3}
    sample = PICTURES


class TestCharbonnier(LossContract):
    spec = "loss:charbonnier"
    sample = PICTURES


class TestNSS(LossContract):
    spec = "loss:nss"
    sample = PICTURES
    mean_of_rows = False  # a row counts as much as its target has points


class TestBCE(LossContract):
    spec = "loss:bce"
    params = {"target_key": "target_image", "pos_weight": [1.0, 2.0, 3.0, 0.5]}
    sample = PICTURES


class TestBCEOfProbabilities(LossContract):
    spec = "loss:bce"
    params = {"from_logits": False, "pos_weight": 2.0}
    sample = {"output": SCORES.sigmoid(), "label": SCORES.roll(1, 0) > 0}


class TestFocal(LossContract):
    spec = "loss:focal"
    params = {"alpha": [1.0, 2.0, 3.0, 0.5]}
    sample = {"output": SCORES, "label": torch.randint(4, (5, 1), generator=RANDOM)}


class TestFocalOfChannels(LossContract):
    spec = "loss:focal"
    params = {"activation": "sigmoid", "alpha": 0.25}
    sample = {"output": SCORES, "label": SCORES.roll(1, 0) > 0}


class TestDice(LossContract):
    spec = "loss:dice"
    params = {"include_background": False}
    sample = {"output": MAPS, "target_image": MASKS}


class TestDiceOfChannels(LossContract):
    spec = "loss:dice"
    params = {"activation": "sigmoid"}
    sample = PICTURES


class TestOHEM(LossContract):
    spec = "loss:ohem"
    params = {"loss": {"use": "cross_entropy", "target_key": "target_image", "reduction": "none"}, "he_ratio": 0.1}
    sample = {"output": MAPS, "target_image": MASKS}
    mean_of_rows = False  # the hardest elements are those of the batch


class TestOHEMOfChannels(LossContract):
    spec = "loss:ohem"
    params = {"loss": {"use": "mse", "reduction": "none"}, "channel_wise": True, "thr": 0.5, "np_ratio": 0.5}
    sample = PICTURES


class TestTotal(LossContract):
    spec = "loss:total"
    params = {"losses": ["l1", {"use": "mse"}], "weights": [0.5, 2.0]}
    sample = PICTURES
