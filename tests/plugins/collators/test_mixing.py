from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.collators.cutmix import Cutmix
from leaven_plugins.collators.mix import Mix
from leaven_plugins.collators.mixup import Mixup

ROWS, CLASSES = 6, 4


def batch(dtype="uint8", rows=ROWS, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (rows, 3, 12, 20)).astype(dtype)
    return {"image": images, "label": random.integers(0, CLASSES, (rows, 1)), "key": [str(row) for row in range(rows)]}


def collated(collator, seed=1, **given):
    before = batch(**given)
    after = collator.collate({key: value.copy() for key, value in before.items()}, np.random.default_rng(seed))
    return before, after, after[collator.name]


def one_hot(labels):
    return np.eye(CLASSES, dtype="float32")[labels.ravel()]


def expected_image(before, record, row):
    """One row, in the plainest way."""
    own, other = before["image"][row].astype("float64"), before["image"][record["partner"]].astype("float64")
    if "box" in record:
        top, left, bottom, right = record["box"]
        mixed = own.copy()
        mixed[:, top:bottom, left:right] = other[:, top:bottom, left:right]
        return mixed
    return record["lambda"] * own + (1 - record["lambda"]) * other


EVERYTHING = [
    pytest.param(
        kind(classes=CLASSES, lambda_mode=mode, apply_mode=mode, shuffle_mode=shuffle), id=f"{kind.name}-{mode}"
    )
    for kind in (Mixup, Cutmix, Mix)
    for mode in ("batch", "sample")
    for shuffle in ("flip", "roll", "random")
]


@pytest.mark.parametrize("collator", EVERYTHING)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int16"])
def test_images_and_targets_are_mixed_as_the_records_say(collator, dtype):
    for seed in range(5):
        before, after, records = collated(collator, seed, dtype=dtype)
        targets = one_hot(before["label"])
        for row, record in enumerate(records):
            rounding = 0.51 if dtype != "float32" else 1e-3
            np.testing.assert_allclose(after["image"][row], expected_image(before, record, row), atol=rounding)
            share = record["lambda"]
            mixed = share * targets[row] + (1 - share) * targets[record["partner"]]
            np.testing.assert_allclose(after["target"][row], mixed, atol=1e-6)
        assert after["target"].dtype == np.float32
        np.testing.assert_allclose(after["target"].sum(1), 1, atol=1e-6)
        assert (after["label"] == before["label"]).all()
        assert after["key"] == before["key"]


def test_images_are_mixed_where_they_lie():
    before = batch()
    image = before["image"]
    after = Mixup(classes=CLASSES).collate(before, np.random.default_rng(0))
    assert after["image"] is image


def test_strange_dtypes_and_views():
    for dtype in ("int64", "float16"):
        before, after, records = collated(Mixup(classes=CLASSES), dtype=dtype)
        np.testing.assert_allclose(after["image"][0], expected_image(before, records[0], 0), atol=0.51)
    whole = batch(rows=12)
    view = whole["image"][::2, :, ::-1]
    expected = view.copy()
    given = {"image": view, "label": whole["label"][::2]}
    Mixup(classes=CLASSES).collate(given, np.random.default_rng(3))
    Mixup(classes=CLASSES).collate({**given, "image": expected}, np.random.default_rng(3))
    np.testing.assert_array_equal(view, expected)
    assert (whole["image"][1::2] == batch(rows=12)["image"][1::2]).all()


def test_lambda_is_the_share_that_the_box_leaves():
    _, _, records = collated(Cutmix(classes=CLASSES, lambda_mode="sample"))
    for record in records:
        top, left, bottom, right = record["box"]
        assert record["lambda"] == pytest.approx(1 - (bottom - top) * (right - left) / (12 * 20))
        assert 0 <= top <= bottom <= 12
        assert 0 <= left <= right <= 20


def test_partners():
    orders = {
        mode: [record["partner"] for record in collated(Mixup(classes=CLASSES, shuffle_mode=mode), rows=5)[2]]
        for mode in ("flip", "roll", "random")
    }
    assert orders["flip"] == [4, 3, 2, 1, 0]
    assert orders["roll"] == [4, 0, 1, 2, 3]
    assert sorted(orders["random"]) == [0, 1, 2, 3, 4]


def test_one_lambda_for_the_batch_or_one_for_each():
    lambdas = {
        mode: {record["lambda"] for record in collated(Mixup(classes=CLASSES, lambda_mode=mode))[2]}
        for mode in ("batch", "sample")
    }
    assert len(lambdas["batch"]) == 1
    assert len(lambdas["sample"]) == ROWS


def test_lambdas_are_of_the_distribution_asked_for():
    mixer = Mixup(classes=CLASSES, alpha=0.3, lambda_mode="sample", keys=["label"])
    records = mixer.collate({"label": np.zeros((8000, 1), "int64")}, np.random.default_rng(0))["mixup"]
    lambdas = np.array([record["lambda"] for record in records])
    assert lambdas.mean() == pytest.approx(0.5, abs=0.02)
    assert lambdas.var() == pytest.approx(1 / (4 * (2 * 0.3 + 1)), rel=0.03)  # of Beta(a, a)


@pytest.mark.parametrize("mode", ["batch", "sample"])
def test_each_way_is_as_frequent_as_asked_for(mode):
    mixer = Mix(classes=2, mixup_prob=0.2, cutmix_prob=0.5, apply_mode=mode, lambda_mode=mode)
    random, ways = np.random.default_rng(0), []
    for _ in range(300 if mode == "sample" else 3000):
        images = np.zeros((10, 1, 4, 4), "uint8")
        records = mixer.collate({"image": images, "label": np.zeros((10, 1), "int64")}, random)["mix"]
        found = ["box" in record or (record["lambda"] < 1 and "blend") for record in records]
        assert mode == "sample" or len(set(found)) == 1
        ways += found if mode == "sample" else found[:1]
    shares = {way: ways.count(way) / len(ways) for way in (True, "blend", False)}
    assert shares == {
        True: pytest.approx(0.5, abs=0.03),
        "blend": pytest.approx(0.2, abs=0.03),
        False: pytest.approx(0.3, abs=0.03),
    }


def test_what_is_not_mixed_stays():
    before, after, records = collated(Mix(classes=CLASSES, mixup_prob=0, cutmix_prob=0))
    assert records == [{"lambda": 1.0, "partner": row} for row in range(ROWS)]
    np.testing.assert_array_equal(after["image"], before["image"])
    np.testing.assert_array_equal(after["target"], one_hot(before["label"]))


@pytest.mark.parametrize("collator", [Mixup(classes=CLASSES), Cutmix(classes=CLASSES), Mix(classes=CLASSES)])
def test_without_chance_there_are_targets_and_nothing_is_mixed(collator):
    before, after, _ = collated(collator.without_chance())
    np.testing.assert_array_equal(after["image"], before["image"])
    np.testing.assert_array_equal(after["target"], one_hot(before["label"]))


def test_masks_get_the_box_of_their_images():
    given = {**batch(), "mask": np.arange(ROWS)[:, None, None] * np.ones((ROWS, 12, 20), "uint8")}
    after = Cutmix(classes=CLASSES, keys=["image", "mask"]).collate(given, np.random.default_rng(4))
    for row, record in enumerate(after["cutmix"]):
        top, left, bottom, right = record["box"]
        pasted = np.zeros((12, 20), bool)
        pasted[top:bottom, left:right] = True
        assert pasted.any()
        np.testing.assert_array_equal(after["mask"][row] == record["partner"], pasted)


def test_what_was_mixed_before_is_mixed_again():
    before, after, _ = collated(Mixup(classes=CLASSES, alpha=1))
    first = {key: value.copy() for key, value in after.items()}
    twice = Cutmix(classes=CLASSES).collate(after, np.random.default_rng(2))
    share, partner = twice["cutmix"][0]["lambda"], twice["cutmix"][0]["partner"]
    np.testing.assert_allclose(
        twice["target"][0], share * first["target"][0] + (1 - share) * first["target"][partner], atol=1e-6
    )
    assert twice["mixup"] == first["mixup"]
    assert len(before["image"]) == len(twice["cutmix"])


@pytest.mark.parametrize("shape", [(ROWS, 1), (ROWS,), (ROWS, 5)])
def test_floats_are_mixed_as_they_are(shape):
    values = np.random.default_rng(0).random(shape)
    given = {**batch(), "label": values}
    after = Mixup(lambda_mode="sample").collate(given, np.random.default_rng(1))
    shares = np.array([record["lambda"] for record in after["mixup"]]).reshape(-1, *[1] * (len(shape) - 1))
    np.testing.assert_allclose(after["target"], shares * values + (1 - shares) * values[::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"alpha": 0}, "mixup_alpha is 0; it has to be above 0"),
        ({"prob": 1.5}, "blending 1.5 .*at most 1"),
        ({"lambda_mode": "rows"}, "lambda_mode is 'rows'.*batch, sample"),
        ({"shuffle_mode": "rol"}, "did you mean 'roll'"),
        ({"classes": 0}, "classes is 0"),
        ({"keys": "image"}, "keys is 'image'; it has to be a list"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        Mixup(**parameters)


def test_probabilities_are_checked_together():
    with pytest.raises(ParameterError, match="together at most 1"):
        Mix(mixup_prob=0.6, cutmix_prob=0.6)


@pytest.mark.parametrize(
    ("collator", "changed", "text"),
    [
        (Mixup(), {}, "label holds class numbers: say how many classes"),
        (
            Mixup(classes=2),
            {"label": np.array([[0], [1], [5], [0], [0], [0]])},
            "class 5 in row 2 of the batch, .*0 to 1",
        ),
        (Mixup(classes=2, label="labels"), {}, "no labels 'labels', did you mean 'label'"),
        (Mixup(classes=2, keys=["imag"]), {}, "no array 'imag', did you mean 'image'"),
        (Mixup(classes=2, keys=["key"]), {}, "no array 'key'"),
        (Mixup(classes=2), {"label": ["a"] * ROWS}, "no label for each of 6 rows"),
        (Mixup(classes=2), {"label": np.zeros((2, 1), int)}, "no label for each of 6 rows"),
        (
            Cutmix(classes=4, keys=["image", "mask"]),
            {"mask": np.zeros((ROWS, 5, 20))},
            r"of one size, not .*\(6, 5, 20\)",
        ),
        (Cutmix(classes=4, keys=["label"]), {}, "a box needs arrays"),
    ],
)
def test_batches_that_do_not_fit_are_refused(collator, changed, text):
    with pytest.raises(LeavenError, match=text):
        collator.collate({**batch(), **changed}, np.random.default_rng(0))


def gappy(collator, gaps, seed=1, **given):
    before = batch(**given)
    valid = ~np.isin(np.arange(ROWS), gaps)
    before["label"][~valid] = -1  # what a label buffer is filled with need not be a class
    handed = {**{key: value.copy() for key, value in before.items()}, "valid": valid}
    after = collator.collate(handed, np.random.default_rng(seed))
    return before, after, after[collator.name]


@pytest.mark.parametrize("collator", EVERYTHING)
def test_rows_without_a_sample_are_mixed_with_nothing(collator):
    for seed in range(5):
        _, _, usual = collated(collator, seed)
        before, after, records = gappy(collator, [1, 4], seed)
        for row, (record, other) in enumerate(zip(records, usual, strict=True)):
            if {row, other["partner"]} & {1, 4}:
                assert record == {"lambda": 1.0, "partner": row}
                np.testing.assert_array_equal(after["image"][row], before["image"][row])
            else:
                assert record == other
        assert not after["target"][[1, 4]].any()
        np.testing.assert_allclose(after["target"][[0, 2, 3, 5]].sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    "labels", [[1, None, 2, 3, None, 0], [np.array([1.0, 0]), None, *[np.array([0, 1.0])] * 3, None]]
)
def test_labels_in_lists_may_be_missing_where_there_is_no_sample(labels):
    valid = np.array([label is not None for label in labels])
    handed = {**batch(), "label": labels, "valid": valid}
    target = Mixup(classes=CLASSES, prob=0.0).collate(handed, np.random.default_rng(0))["target"]
    assert target.sum(1).tolist() == valid.tolist()
