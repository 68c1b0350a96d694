"""Samplers that choose: which samples come how often."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeled_parts import LabeledNumbers

from leaven import ParameterError, create
from leaven.data.orders import order_of
from leaven.stream.order import Order
from leaven_plugins.samplers.balanced_epoch.sampler import BalancedEpoch
from leaven_plugins.samplers.draws import uniform
from leaven_plugins.samplers.repeated.sampler import Repeated
from leaven_plugins.samplers.semi.sampler import Semi
from leaven_plugins.samplers.sequential.sampler import Sequential
from leaven_plugins.samplers.subset.sampler import Subset
from leaven_plugins.samplers.weighted.balanced import ClassBalanced, class_balancing_weights
from leaven_plugins.samplers.weighted.sampler import Weighted


class Labels:
    """A dataset that has labels, and nothing else."""

    def __init__(self, labels):
        self.labels = np.asarray(labels)

    def __len__(self):
        return len(self.labels)

    def getall_label(self):
        return self.labels


def stream(sampler, dataset, passes=1, seed=0):
    """The first passes, ``(passes, length)``."""
    order = Order.of(sampler, dataset, seed)
    return order.cells(0, passes * order.length).indices.reshape(passes, order.length)


def is_likely(counts, expected):
    """Whether counts are within five standard deviations of what is expected, each."""
    return bool((np.abs(counts - expected) <= 5 * np.sqrt(np.maximum(expected, 1))).all())


# ---- draws


def test_uniform_draws_are_uniform_and_independent():
    drawn = np.concatenate([uniform(np.arange(20_000), 7, epoch) for epoch in range(5)])
    assert 0 <= drawn.min() < drawn.max() < 1
    assert is_likely(np.histogram(drawn, 100, (0, 1))[0], 1000)
    pairs = np.histogram2d(drawn[:-1], drawn[1:], 10, ((0, 1), (0, 1)))[0]
    assert is_likely(pairs, 1000)
    epochs = np.histogram2d(drawn[:-20_000], drawn[20_000:], 10, ((0, 1), (0, 1)))[0]
    assert is_likely(epochs, 800)


# ---- subset


def test_a_subset_keeps_its_order_or_shuffles_it():
    indices = [7, 3, 3, 9]
    for sampler in (Subset(indices), create("sampler:subset(7, 3, 3, 9)")):
        assert stream(sampler, range(10), 2).tolist() == [indices, indices]
    passes = stream(Subset(np.array(indices), shuffle=True), range(10), 50)
    assert {tuple(sorted(one)) for one in passes.tolist()} == {(3, 3, 7, 9)}
    assert len({tuple(one) for one in passes.tolist()}) == 12


@pytest.mark.parametrize(
    ("indices", "text"),
    [
        ([], "expected whole numbers, at least one"),
        ([0.5], "expected whole numbers"),
        ([[0]], r"shape \(1, 1\)"),
        ([3, 10], "no sample 10; the dataset has samples 0 to 9"),
        ([-1], "no sample -1"),
    ],
)
def test_what_is_no_subset(indices, text):
    for make in (
        Subset,
        lambda indices: Weighted([1.0], indices=indices),
        lambda indices: ClassBalanced(indices=indices),
    ):
        with pytest.raises(ParameterError, match=text):
            make(indices).over(LabeledNumbers(10), 0)


# ---- weighted


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0]), min_size=1, max_size=8).filter(any), st.integers(0, 2**70))
def test_weights_say_how_often_samples_come(weights, seed):
    drawn = stream(Weighted(weights, length=4000), range(len(weights)), 2, seed)
    counts = np.bincount(drawn.ravel(), minlength=len(weights))
    expected = 8000 * np.array(weights) / sum(weights)
    assert is_likely(counts, expected)
    assert not counts[expected == 0].any()


def test_weights_of_some_samples():
    drawn = stream(Weighted([1, 3], length=4000, indices=[8, 2]), range(10))
    assert is_likely(np.bincount(drawn.ravel(), minlength=10)[[8, 2]], np.array([1000, 3000]))
    assert set(drawn.ravel()) == {2, 8}
    by_name = stream(Weighted("weight", length=4000, indices=[7, 1]), LabeledNumbers(10))  # weights 8 and 2
    assert is_likely(np.bincount(by_name.ravel(), minlength=10)[[7, 1]], np.array([3200, 800]))


def test_huge_and_tiny_weights_are_weights():
    drawn = stream(Weighted([1e308, 1e308, 5e-324, 0], length=1000), range(4))
    assert set(drawn.ravel()) == {0, 1}


def test_without_replacement_each_comes_once_and_large_weights_come_first():
    weights = np.array([0, 1, 1, 2, 6.0])
    passes = stream(Weighted(weights, replacement=False), range(5), 4000)
    assert (np.sort(passes, 1) == [1, 2, 3, 4]).all()
    first = np.bincount(passes[:, 0], minlength=5)
    assert is_likely(first, 4000 * weights / 10)
    after_4 = passes[passes[:, 0] == 4][:, 1]  # among what is left
    assert is_likely(np.bincount(after_4, minlength=5)[1:4], len(after_4) * np.array([1, 1, 2]) / 4)
    shorter = stream(Weighted(weights, length=2, indices=[9, 8, 7, 6, 5], replacement=False), range(10), 20)
    assert set(shorter.ravel()) == {8, 7, 6, 5}
    assert (shorter[:, 0] != shorter[:, 1]).all()


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"weights": [1, -1, 1]}, "weight 1 is -1.0: expected a number of at least 0"),
        ({"weights": [1, 1, float("nan")]}, "weight 2 is nan"),
        ({"weights": [float("inf"), 1, 1]}, "weight 0 is inf"),
        ({"weights": [0, 0, 0]}, "all 3 weights are 0"),
        ({"weights": [1, 1]}, r"shape \(2,\) for 3 samples"),
        ({"weights": [1, 1, 1], "indices": [0, 1]}, r"shape \(3,\) for 2 samples"),
        ({"weights": ["a", 1, 1]}, "expected numbers"),
        ({"weights": "weight"}, "a range cannot tell the 'weight' of its samples"),
        ({"weights": [1, 1, 0], "length": 3, "replacement": False}, "only 2 weights are above 0"),
        ({"weights": [1, 1, 1], "length": 0}, "length=0: expected a whole number, at least 1"),
        ({"weights": [1, 1, 1], "length": 2.5}, "length=2.5"),
    ],
)
def test_bad_weights_are_refused(params, text):
    with pytest.raises(ParameterError, match=f"weighted: .*{text}"):
        Weighted(**params).over(range(3), 0)


# ---- classes


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_balancing_weights_give_each_class_the_same_mass(labels):
    weights = class_balancing_weights(np.array(labels))
    sums = {label: sum(w for w, own in zip(weights, labels, strict=True) if own == label) for label in labels}
    np.testing.assert_allclose(list(sums.values()), 1 / len(sums))


def test_class_balanced_draws_each_class_as_often():
    dataset = Labels([5] * 90 + [0] * 9 + [2])
    for sampler in (ClassBalanced(length=6000), ClassBalanced(list(dataset.labels), n_classes=6, length=6000)):
        drawn = dataset.labels[stream(sampler, dataset).ravel()]
        assert is_likely(np.bincount(drawn), np.array([2000, 0, 2000, 0, 0, 2000]))
    some = dataset.labels[stream(ClassBalanced(indices=[0, 1, 2, 95], length=2000), dataset).ravel()]
    assert is_likely(np.bincount(some), np.array([1000, 0, 0, 0, 0, 1000]))


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=30),
    st.one_of(st.none(), st.integers(1, 9)),
    st.booleans(),
    st.integers(0, 2**66),
)
def test_a_balanced_epoch_uses_all_of_a_class_before_one_comes_again(labels, times, shuffle, seed):
    dataset = Labels(labels)
    counts = Counter(labels)
    times_each = times or max(counts.values())
    passes = stream(BalancedEpoch(times, shuffle), dataset, 4, seed)
    assert passes.shape[1] == times_each * len(counts)
    for one in passes:
        assert Counter(dataset.labels[one].tolist()) == dict.fromkeys(counts, times_each)
    for label, count in counts.items():
        places = np.bincount(passes.ravel(), minlength=len(labels))[dataset.labels == label]
        assert places.sum() == 4 * times_each
        assert places.max() - places.min() <= 1
        assert len(places) == count


def test_a_balanced_epoch_mixes_its_classes():
    passes = stream(BalancedEpoch(), Labels([0] * 50 + [1] * 50), 20)
    assert {tuple(one) for one in passes.tolist()} > {tuple(passes[0])}
    halves = (passes[:, :50] < 50).sum(1)
    assert 15 <= halves.min() <= halves.max() <= 35


# ---- with and without a label


@given(
    st.lists(st.integers(-1, 2), min_size=2, max_size=30).filter(lambda found: min(found) < 0 <= max(found)),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["labeled", "unlabeled", "all"]),
)
def test_semi_takes_turns(labels, labeled, unlabeled, length):
    dataset = Labels(labels)
    passes = stream(Semi(labeled, unlabeled, length), dataset, 3)
    turn = [True] * labeled + [False] * unlabeled
    assert ((dataset.labels[passes] >= 0).ravel().tolist()) == turn * (passes.size // len(turn))
    groups = {"labeled": dataset.labels >= 0, "unlabeled": dataset.labels < 0}
    for group in groups.values():
        counts = np.bincount(passes.ravel(), minlength=len(labels))[group]
        assert counts.max() - counts.min() <= 1  # each before one comes again
    per_turn = {"labeled": labeled, "unlabeled": unlabeled, "all": labeled + unlabeled}[length]
    total = len(labels) if length == "all" else groups[length].sum()
    assert passes.shape[1] == max(total // per_turn, 1) * len(turn)


def test_semi_shuffles_anew():
    passes = stream(Semi(), Labels([0, -1] * 20), 5)
    assert len({tuple(one) for one in passes[:, ::2].tolist()}) == 5
    assert len({tuple(one) for one in passes[:, 1::2].tolist()}) == 5


@pytest.mark.parametrize(
    ("make", "labels", "text"),
    [
        (Semi, [0, 1], "semi: 2 samples have a label, 0 have none"),
        (Semi, [-1], "0 samples have a label, 1 have none"),
        (lambda: Semi(labeled=0), [0, -1], "semi: labeled=0"),
        (lambda: Semi(length="labled"), [0, -1], "did you mean 'labeled'"),
        (BalancedEpoch, [0, -1, -7], "sample 1 has label -1, and 2 samples"),
        (ClassBalanced, [0, -1], "class_balanced: sample 1 has label -1"),
        (BalancedEpoch, [0.5, 1.0], "is no label"),
        (lambda: BalancedEpoch(samples_per_class=0), [0], "samples_per_class=0"),
        (lambda: ClassBalanced(n_classes=2), [0, 2], "n_classes=2: a sample is of class 2"),
        (lambda: ClassBalanced([0, 1, 1]), [0, 1], "for each of 2 samples"),
        (lambda: Repeated(0), [0], "repeated: times=0"),
    ],
)
def test_labels_and_numbers_that_do_not_do(make, labels, text):
    with pytest.raises(ParameterError, match=text):
        make().over(Labels(labels), 0)


@pytest.mark.parametrize("name", ["semi", "balanced_epoch", "class_balanced"])
def test_a_dataset_without_labels_is_told(name):
    with pytest.raises(ParameterError, match=f"{name}: a range cannot tell the 'label'"):
        create(f"sampler:{name}").over(range(3), 0)


# ---- repeated


@pytest.mark.parametrize("times", [1, 2, 3, 10, 25])
@pytest.mark.parametrize("inner", [Sequential(), Semi()], ids=["sequential", "semi"])
def test_repeated_shows_the_stream_of_another_sampler(times, inner):
    dataset = LabeledNumbers(12, unlabeled=True)
    once = stream(inner, dataset, 4)
    repeated = stream(Repeated(times, inner), dataset, 4)
    assert repeated.shape == once.shape
    assert repeated.ravel().tolist() == np.repeat(once, times)[: once.size].tolist()


def test_repeated_is_made_by_name():
    passes = create("sampler:repeated(2, sampler='sequential')").over(range(4), 0)
    assert passes.indices(1, np.arange(4)).tolist() == [2, 2, 3, 3]
    shuffled = [stream(made, range(9), 3).tolist() for made in (Repeated(3), create("sampler:repeated", times=3))]
    assert shuffled[0] == shuffled[1]


@pytest.mark.parametrize(
    "sampler",
    [
        {"use": "weighted", "weights": [1.0] * 6, "length": np.int64(4)},
        {"use": "weighted", "weights": [1.0] * 6, "length": np.int64(4), "replacement": False},
        {"use": "class_balanced", "labels": [0, 1] * 3, "length": np.int32(4)},
        {"use": "repeated", "times": np.int64(2)},
    ],
    ids=lambda sampler: f"{sampler['use']} {len(sampler)}",
)
def test_numbers_of_numpy_are_numbers(sampler):
    order = order_of(range(6), sampler)
    assert type(order.length) is int
    assert len(order.cells(0, 10).indices) == 10


@pytest.mark.parametrize(
    ("sampler", "text"),
    [
        ({"use": "subset", "indices": [[0], [1, 2]]}, "subset: indices: expected whole numbers in a row"),
        ({"use": "class_balanced", "labels": [[0], [1, 2]]}, "class_balanced: labels: expected whole numbers in a row"),
        ({"use": "repeated", "times": 10**30}, "expected at most 1099511627776"),
        ({"use": "weighted", "weights": [1, 1], "length": 1 << 41}, "expected at most 1099511627776"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["use"],
)
def test_numbers_that_lead_nowhere(sampler, text):
    with pytest.raises(ParameterError, match=text):
        order_of(range(2), sampler)
