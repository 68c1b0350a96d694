"""The contract of losses fails for one that breaks it, in the check that is about it."""

from __future__ import annotations

import pytest

from leaven.testing import LossContract

torch = pytest.importorskip("torch")


class Suite(LossContract):
    sample = {"output": torch.linspace(-1, 2, 12).reshape(3, 4), "label": torch.arange(12.0).reshape(3, 4)}


def good(sample):
    return (sample["output"].float() - sample["label"]).square().mean()


def each(sample):
    return (sample["output"] - sample["label"]).square().mean(1)


def whole_numbers(sample):
    return good(sample).long()


def cut_off(sample):
    return good({**sample, "output": sample["output"].detach()})


def uphill(sample):
    output = sample["output"]
    return good({**sample, "output": 2 * output.detach() - output})


def growing():
    calls = []

    def loss(sample):
        calls.append(sample)
        return good(sample) * len(calls)

    return loss


def changing(sample):
    sample["label"] += 1
    return good(sample)


def renaming(sample):
    return good({**sample, "label": sample.setdefault("target", sample["label"])})


def over_rows(sample):
    return good(sample) + sample["output"].std(0).sum()


def of_the_first_row(sample):
    return good({key: value[:1] for key, value in sample.items()})


def in_half(sample):
    return (sample["output"] * 1e4).square().sum().float() * 1e-8 + good(sample)


def waiting(sample):
    return good(sample) * (1 if sample["output"].max() > 0 else 2)


FAULTS = [
    (each, "it_is_a_scalar"),
    (whole_numbers, "it_is_a_scalar"),
    (cut_off, "it_becomes_smaller_downhill"),
    (uphill, "it_becomes_smaller_downhill"),
    (growing(), "it_repeats_itself"),
    (changing, "samples_are_not_touched"),
    (renaming, "samples_are_not_touched"),
    (over_rows, "one_row_is_no_trouble"),
    (of_the_first_row, "the_order_of_rows_does_not_matter"),
    (over_rows, "mini_batches_make_up_a_batch"),
    (in_half, "half_precision_is_no_trouble"),
    (waiting, "nothing_waits_for_a_device"),
]


@pytest.mark.filterwarnings("ignore:std")
@pytest.mark.parametrize(("loss", "check"), FAULTS)
def test_a_fault_is_found(loss, check):
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(Suite(), f"test_{check}")(loss)


@pytest.mark.parametrize("check", sorted({check for _, check in FAULTS}))
def test_a_good_one_passes(check):
    getattr(Suite(), f"test_{check}")(good)


def test_each_check_has_a_fault_that_it_finds():
    own = {name.removeprefix("test_") for name in vars(LossContract) if name.startswith("test_")}
    assert own == {check for _, check in FAULTS}
