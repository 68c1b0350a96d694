from __future__ import annotations

import numpy as np
import pytest
import torch

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.losses.bce.loss import BCE
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.losses.dice.loss import Dice
from leaven_plugins.losses.focal.loss import Focal
from leaven_plugins.losses.nss.loss import NSS

RANDOM = np.random.default_rng(0)
OUTPUT = RANDOM.normal(size=(3, 4, 6, 5))
LABELS = RANDOM.integers(0, 4, (3, 6, 5))
ONE_HOT = np.eye(4)[LABELS].transpose(0, 3, 1, 2)
SOFTMAX = np.exp(OUTPUT) / np.exp(OUTPUT).sum(1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-OUTPUT))


def sample(output, target, key="target_image"):
    return {"output": torch.tensor(output), key: torch.tensor(target)}


def dice(p, t, smooth=1.0):
    """One value for each row and class; p and t (rows, classes, height, width)."""
    return 1 - (2 * (p * t).sum((2, 3)) + smooth) / (p.sum((2, 3)) + t.sum((2, 3)) + smooth)


# ---- dice


def test_dice_of_classes_is_the_formula():
    each = dice(SOFTMAX, ONE_HOT, smooth=0.5)
    np.testing.assert_allclose(Dice(smooth=0.5, reduction="none")(sample(OUTPUT, LABELS)), each)
    assert float(Dice(smooth=0.5)(sample(OUTPUT, LABELS[:, None]))) == pytest.approx(each.mean())
    assert float(Dice(smooth=0.5, reduction="sum")(sample(OUTPUT, LABELS))) == pytest.approx(each.sum())


def test_dice_of_shares_and_without_background():
    shares = ONE_HOT * 0.7 + ONE_HOT[::-1] * 0.3
    expected = dice(SOFTMAX, shares)[:, 1:].mean()
    assert float(Dice(include_background=False)(sample(OUTPUT, shares))) == pytest.approx(expected)


def test_dice_of_channels_is_the_formula():
    target = RANDOM.integers(0, 2, (3, 4, 6, 5), dtype="uint8")
    assert float(Dice("sigmoid")(sample(OUTPUT, target))) == pytest.approx(dice(SIGMOID, target).mean())
    single = float(Dice("sigmoid")(sample(OUTPUT[:, :1], target[:, 0])))
    assert single == pytest.approx(dice(SIGMOID[:, :1], target[:, :1]).mean())


@pytest.mark.parametrize(("activation", "channels"), [("softmax", 4), ("sigmoid", 1)])
def test_dice_of_what_is_ignored_is_that_of_the_rest(activation, channels):
    labels = LABELS % channels if channels > 1 else LABELS[:, None] % 2
    ignored = labels.copy()
    ignored[..., 3:] = 255
    loss = Dice(activation, ignore_index=255)
    rest = loss(sample(OUTPUT[:, :channels, :, :3], labels[..., :3]))
    assert float(loss(sample(OUTPUT[:, :channels], ignored))) == pytest.approx(float(rest))


def test_dice_of_a_perfect_output_is_zero_also_where_classes_are_missing():
    assert float(Dice()(sample(ONE_HOT * 100, LABELS))) == pytest.approx(0, abs=1e-6)
    nothing = np.zeros((2, 1, 4, 4))
    assert float(Dice("sigmoid")(sample(nothing - 100, nothing))) == pytest.approx(0, abs=1e-6)
    everything_ignored = sample(OUTPUT, np.full_like(LABELS, -100))
    assert float(Dice()(everything_ignored)) == 0


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_dice_needs_positions(activation):
    with pytest.raises(LeavenError, match=r"output: shape \(4, 3\): dice needs \(rows, classes, \*positions\)"):
        Dice(activation)({"output": torch.zeros(4, 3), "target_image": torch.zeros(4, 3)})


def test_dice_in_half_precision_counts_a_million_pixels():
    output = torch.full((1, 1, 1024, 1024), 20.0, dtype=torch.float16)
    assert float(Dice("sigmoid")({"output": output, "target_image": torch.ones(1, 1024, 1024)})) < 1e-6


# ---- focal


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_of_classes_is_the_formula(gamma):
    alpha = np.array([1.0, 2.0, 0.5, 3.0])
    p = (SOFTMAX * ONE_HOT).sum(1)
    each = -alpha[LABELS] * (1 - p) ** gamma * np.log(p)
    np.testing.assert_allclose(Focal(gamma, alpha.tolist(), reduction="none")(sample(OUTPUT, LABELS, "label")), each)
    assert float(Focal(gamma, alpha.tolist())(sample(OUTPUT, LABELS, "label"))) == pytest.approx(each.mean())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_of_channels_is_the_formula(gamma):
    target = RANDOM.integers(0, 2, OUTPUT.shape)
    p = np.where(target == 1, SIGMOID, 1 - SIGMOID)
    each = -np.where(target == 1, 0.25, 0.75) * (1 - p) ** gamma * np.log(p)
    found = Focal(gamma, 0.25, "sigmoid", reduction="none")(sample(OUTPUT, target, "label"))
    np.testing.assert_allclose(found, each)


def test_the_weights_of_focal_may_be_any_sequence():
    expected = float(Focal(alpha=[1.0, 2.0, 0.5, 3.0])(sample(OUTPUT, LABELS, "label")))
    for alpha in (np.array([1.0, 2.0, 0.5, 3.0]), torch.tensor([1.0, 2.0, 0.5, 3.0])):
        assert float(Focal(alpha=alpha)(sample(OUTPUT, LABELS, "label"))) == expected


def test_focal_without_focus_is_cross_entropy():
    classes = sample(OUTPUT, LABELS, "label")
    assert float(Focal(0.0)(classes)) == pytest.approx(float(CrossEntropy()(classes)))
    channels = sample(OUTPUT, RANDOM.random(OUTPUT.shape), "label")
    assert float(Focal(0.0, activation="sigmoid")(channels)) == pytest.approx(float(BCE()(channels)))


@pytest.mark.parametrize(("activation", "labels"), [("softmax", LABELS), ("sigmoid", ONE_HOT)])
def test_the_mean_of_focal_is_over_what_counts(activation, labels):
    ignored = labels.copy()
    ignored[..., 3:] = 255
    loss = Focal(activation=activation, ignore_index=255)
    rest = loss(sample(OUTPUT[..., :3], labels[..., :3], "label"))
    assert float(loss(sample(OUTPUT, ignored, "label"))) == pytest.approx(float(rest))
    assert float(loss(sample(OUTPUT, np.full_like(labels, 255), "label"))) == 0


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_gradient_of_focal_is_finite_where_the_output_is_certain(activation):
    output = torch.tensor([[200.0, -200.0]], requires_grad=True)
    target = {"softmax": torch.tensor([0]), "sigmoid": torch.tensor([[1, 0]])}[activation]
    Focal(gamma=0.5, activation=activation)({"output": output, "label": target}).backward()
    assert output.grad.isfinite().all()


# ---- both


@pytest.mark.parametrize("loss", [Dice(), Focal(target_key="target_image")])
def test_classes_that_do_not_exist_are_named_with_their_row(loss):
    labels = LABELS.copy()
    labels[1, 2, 3] = 9
    with pytest.raises(LeavenError, match=r"target_image: class 9 in row 1 of the batch, .* 0 to 3"):
        loss(sample(OUTPUT, labels))


@pytest.mark.parametrize("loss", [Dice(), Focal(target_key="target_image")])
def test_softmax_of_one_channel_is_refused(loss):
    with pytest.raises(LeavenError, match=r"output: shape \(3, 1, 6, 5\): .* use activation='sigmoid'"):
        loss(sample(OUTPUT[:, :1], LABELS % 1))


@pytest.mark.parametrize("loss", [Dice("sigmoid"), Focal(activation="sigmoid", target_key="target_image")])
def test_masks_of_other_values_than_0_to_1_are_refused(loss):
    with pytest.raises(LeavenError, match="target_image: expected values from 0 to 1, not 0 to 255"):
        loss(sample(OUTPUT, ONE_HOT * 255))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Dice("tanh"), "activation 'tanh': expected softmax, sigmoid"),
        (lambda: Dice(smooth=0.0), "dice: smooth=0.0: expected a number above 0"),
        (lambda: Focal(gamma=-1.0), "focal: gamma=-1.0: expected a number from 0"),
        (lambda: Focal(alpha=0.25), "focal: alpha=0.25: expected one number for each class with activation='softmax'"),
        (
            lambda: Focal(alpha=[1.0], activation="sigmoid"),
            "focal: alpha=[1.0]: expected a number with activation='sigm",
        ),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, text):
    with pytest.raises(ParameterError) as error:
        make()
    assert str(error.value).startswith(text)


def test_dice_without_any_class_is_refused():
    with pytest.raises(LeavenError, match="include_background=False leaves no class"):
        Dice("sigmoid", include_background=False)(sample(OUTPUT[:, :1], ONE_HOT[:, :1]))


# ---- nss


@pytest.mark.parametrize("channels", [1, 3])
def test_nss_is_the_formula(channels):
    output, target = OUTPUT[:, :channels], RANDOM.integers(0, 3, (3, channels, 6, 5))
    rows = output.reshape(3, -1)
    z = (rows - rows.mean(1, keepdims=True)) / (rows.std(1, ddof=1, keepdims=True) + 1e-5)
    expected = -(z * target.reshape(3, -1)).sum() / target.sum()
    assert float(NSS()(sample(output, target))) == pytest.approx(expected)
    assert float(NSS()(sample(output * 7 + 3, target))) == pytest.approx(expected, rel=1e-4)


def test_nss_at_the_points_where_the_output_is_largest_is_below_zero():
    output = OUTPUT[:, :1]
    best = output == output.max((1, 2, 3), keepdims=True)
    assert float(NSS()(sample(output, best))) < -1.5
    assert float(NSS()(sample(-output, best))) > 1.5


def test_rows_that_nobody_looked_at_have_no_part():
    target = RANDOM.integers(0, 3, (3, 4, 6, 5))
    target[1] = 0
    rest = NSS()(sample(OUTPUT[[0, 2]], target[[0, 2]]))
    assert float(NSS()(sample(OUTPUT, target))) == pytest.approx(float(rest))


@pytest.mark.parametrize(("output", "target"), [(OUTPUT, np.zeros_like(OUTPUT)), (np.ones_like(OUTPUT), ONE_HOT)])
def test_nss_of_nothing_to_see_is_zero(output, target):
    given = sample(output, target)
    given["output"].requires_grad_()
    value = NSS()(given)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-9)
    assert given["output"].grad.isfinite().all()


def test_nss_of_single_values_is_refused():
    with pytest.raises(LeavenError, match=r"output: shape \(4, 1\): nss needs two values or more in a row"):
        NSS()({"output": torch.zeros(4, 1), "target_image": torch.zeros(4, 1)})
