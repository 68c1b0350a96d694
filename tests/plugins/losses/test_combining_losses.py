from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.losses.l1.loss import L1
from leaven_plugins.losses.mse.loss import MSE
from leaven_plugins.losses.ohem.loss import OHEM
from leaven_plugins.losses.total.loss import Total

EACH = L1(reduction="none")


def of(values):
    """A sample whose absolute differences are these values."""
    output = torch.as_tensor(values, dtype=torch.float64)
    return {"output": output, "target_image": torch.zeros_like(output)}


def hard_mean(values, he_ratio, np_ratio, thr, keep_easy):
    ordered = sorted(values, reverse=True)
    easy = sum(value < thr for value in ordered)
    count = math.ceil(max(he_ratio * len(ordered), min(np_ratio * easy, len(ordered) - easy)))
    kept = [value for i, value in enumerate(ordered) if i < count or (keep_easy and value < thr)]
    return sum(kept) / max(len(kept), 1)


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.floats(0, 1, width=32), min_size=8, max_size=8),
    he_ratio=st.sampled_from([0.0, 0.125, 0.5, 1.0]),
    np_ratio=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    thr=st.sampled_from([0.0, 0.25, 0.5, 2.0]),
    keep_easy=st.booleans(),
)
def test_ohem_is_its_definition(values, he_ratio, np_ratio, thr, keep_easy):
    options = (he_ratio, np_ratio, thr, keep_easy)
    ohem = OHEM(EACH, he_ratio, np_ratio, thr, keep_easy=keep_easy)
    assert float(ohem(of(values))) == pytest.approx(hard_mean(values, *options))
    by_channel = OHEM(EACH, he_ratio, np_ratio, thr, channel_wise=True, keep_easy=keep_easy)
    means = [hard_mean(part, *options) for part in (values[:4], values[4:])]
    kept = [mean for mean, part in zip(means, (values[:4], values[4:]), strict=True) if _any_kept(part, *options)]
    expected = sum(kept) / max(len(kept), 1)
    assert float(by_channel(of(np.reshape(values, (1, 2, 4))))) == pytest.approx(expected)


def _any_kept(values, he_ratio, np_ratio, thr, keep_easy):
    easy = sum(value < thr for value in values)
    return he_ratio > 0 or min(np_ratio * easy, len(values) - easy) > 0 or (keep_easy and easy > 0)


def test_only_the_hardest_have_a_gradient():
    sample = of([[0.001, 0.9, 0.5, 0.7]])
    sample["output"].requires_grad_()
    OHEM(EACH, np_ratio=2.0)(sample).backward()
    assert sample["output"].grad.tolist() == [[0, 0.5, 0, 0.5]]


def test_what_the_loss_inside_ignores_is_neither_easy_nor_hard():
    logits = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(3, (2, 1, 4, 4), generator=torch.Generator().manual_seed(1))
    ignored = labels.clone()
    ignored[:, :, 2:] = 255
    ohem = create(
        "loss:ohem",
        loss={"use": "cross_entropy", "reduction": "none", "ignore_index": 255},
        he_ratio=0.3,
        np_ratio=0.5,
        thr=1.0,
        keep_easy=True,
    )
    rest = ohem({"output": logits[:, :, :2], "label": labels[:, :, :2]})
    assert float(ohem({"output": logits, "label": ignored})) == pytest.approx(float(rest))
    assert float(ohem({"output": logits, "label": torch.full_like(labels, 255)})) == 0


def test_a_loss_without_values_of_elements_is_refused():
    with pytest.raises(LeavenError, match="returned a scalar; make it with reduction='none'"):
        OHEM(L1())(of([[1.0, 2.0]]))


def test_channels_are_asked_of_losses_that_have_them():
    sample = {"output": torch.zeros(2, 3, 5), "label": torch.zeros(2, 5, dtype=torch.int64)}
    with pytest.raises(LeavenError, match=r"shape \(2, 5\) of an output of shape \(2, 3, 5\); use channel_wise=False"):
        OHEM(CrossEntropy(reduction="none"), channel_wise=True)(sample)


@pytest.mark.parametrize("params", [{"he_ratio": 1.5}, {"np_ratio": -1.0}, {"thr": -0.1}, {"np_ratio": math.inf}])
def test_ratios_that_make_no_sense_are_refused(params):
    with pytest.raises(ParameterError, match="ohem: he_ratio="):
        OHEM(EACH, **params)


# ---- total


def test_total_is_the_weighted_sum_and_shows_its_parts():
    sample = of([[1.0, 3.0]])
    sample["output"].requires_grad_()
    total = Total([L1(), MSE()], [0.5, 2.0])
    assert total.parts == []
    value = total(sample)
    value.backward()
    assert value.item() == 0.5 * 2 + 2.0 * 5
    assert [float(part) for part in total.parts] == [2, 5]
    assert not any(part.requires_grad for part in total.parts)
    assert sample["output"].grad.tolist() == [[0.25 + 2, 0.25 + 6]]


def test_total_is_made_of_specs():
    total = create("loss:total", losses=["l1", {"use": "mse", "reduction": "sum"}])
    assert float(total(of([[1.0, 3.0]]))) == 2 + 10


def test_parts_that_are_no_scalars_are_refused():
    with pytest.raises(LeavenError, match=r"total: L1 returned shape \(1, 2\) and no scalar; use reduction='mean'"):
        Total([MSE(), EACH])(of([[1.0, 3.0]]))


@pytest.mark.parametrize(
    ("losses", "weights", "text"),
    [([], None, "losses is empty"), ([L1()], [1.0, 2.0], "2 weights for 1 losses"), ([L1()], [], "0 weights")],
)
def test_weights_fit_the_losses(losses, weights, text):
    with pytest.raises(ParameterError, match=text):
        Total(losses, weights)
