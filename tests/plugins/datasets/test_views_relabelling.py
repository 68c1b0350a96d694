"""Views that give samples other labels. Of the golden families, those of kappadata:randclass/ are informative only."""

from __future__ import annotations

from collections import Counter
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import create
from leaven.data.adapters import Items
from leaven.data.getters import class_names, content, getall, getitem, has_getter, labels
from leaven.errors import DatasetError, FormatError, LeavenError, ParameterError
from leaven_plugins.datasets.relabelling import (
    ClassGroups,
    GivenLabels,
    RandomLabels,
    RandomSuperclasses,
    SwapLabels,
    Unlabelled,
)

CLASSES = st.lists(st.integers(-1, 6), min_size=1, max_size=60)
SEEDS = st.integers(0, 3)


class Named(list):
    classes = tuple("abcdefg")


def dataset(*classes):
    return Items(Named((position, label) for position, label in enumerate(classes)))


@given(st.integers(0, 50), st.integers(1, 6), SEEDS)
def test_random_labels_are_classes_and_stay(count, classes, seed):
    items = Items(range(count), ["image"])
    view = RandomLabels(items, classes, seed=seed)
    found = labels(view)
    assert ((found >= 0) & (found < classes)).all()
    assert found.tolist() == labels(RandomLabels(items, classes, seed=seed)).tolist()


def test_random_labels_are_as_likely_as_each_other():
    counts = Counter(labels(RandomLabels(Items(range(6000), ["image"]), 3)).tolist())
    assert all(abs(counts[label] - 2000) < 200 for label in range(3))
    assert class_names(RandomLabels(dataset(0, 1))) == ()


@given(st.integers(1, 50), st.integers(1, 6), SEEDS)
def test_balanced_random_labels_repeat_one_order(count, classes, seed):
    found = labels(RandomLabels(Items(range(count), ["image"]), classes, "balanced", seed)).tolist()
    assert found == [found[n % classes] for n in range(count)]
    assert len(set(found)) == min(count, classes)


@given(CLASSES, st.floats(0, 1), SEEDS)
def test_labels_are_swapped_where_it_is_said(classes, p, seed):
    view = SwapLabels(dataset(*classes), p, seed)
    swapped = view.getall_swapped()
    assert [getitem(view, "swapped", n) for n in range(len(view))] == swapped.tolist()
    kept = [(new, old) for new, old, is_new in zip(labels(view), classes, swapped, strict=True) if not is_new]
    assert all(new == old for new, old in kept)
    assert all(0 <= label < 7 for label in labels(view)[swapped])
    if p in (0, 1):
        assert (swapped == bool(p)).all()


@given(CLASSES, st.integers(0, 100), SEEDS)
def test_so_many_percent_lose_their_label(classes, percent, seed):
    found = labels(Unlabelled(dataset(*classes), percent, seed))
    lost = [n for n, old in enumerate(classes) if found[n] != old]
    assert all(found[n] == -1 for n in lost)
    gone = len(classes) * percent // 100
    assert len(lost) <= gone <= (found == -1).sum()


@given(CLASSES, st.integers(1, 4), st.booleans(), SEEDS)
def test_groups_of_classes_deal_out_their_samples(classes, size, shuffle, seed):
    view = ClassGroups(dataset(*classes), size, shuffle, seed)
    found = labels(view)
    for old in set(classes) - {-1}:
        new = found[[n for n, label in enumerate(classes) if label == old]]
        assert len({label // size for label in new.tolist()}) == 1
        assert (new % size).tolist() == [n % size for n in range(len(new))]
        assert old_name(old) in view.class_names[new[0]].partition(" ")[0]
    assert (found == -1).tolist() == [label == -1 for label in classes]


@given(CLASSES, st.integers(1, 4), st.integers(1, 3), st.booleans(), SEEDS)
def test_superclasses_merge_classes(classes, size, splits, shuffle, seed):
    view = RandomSuperclasses(dataset(*classes), size, splits, shuffle, seed)
    count = -(-7 // size)
    found = labels(view)
    for old in set(classes) - {-1}:
        new = found[[n for n, label in enumerate(classes) if label == old]].tolist()
        assert len({label % count for label in new}) == 1
        spread = Counter(label // count for label in new)
        assert max(spread.values()) - min(spread.get(n, 0) for n in range(splits)) <= 1
        assert all(old_name(old) in view.class_names[label].partition(" ")[0] for label in new)
    assert (found == -1).tolist() == [label == -1 for label in classes]
    assert len(view.class_names) == count * splits


def old_name(label):
    return Named.classes[label]


def test_samples_and_class_names_follow():
    items = Items([{"image": n, "label": n, "_label": "abcdefg"[n]} for n in range(7)], ["image", "label", "_label"])
    items = GivenLabels(items, list(range(7)), classes=tuple("abcdefg"))
    view = RandomSuperclasses(items, 2, shuffle=False)
    assert content(view, 3) == {"key": "3", "image": 3, "label": 1, "_label": "c+d"}
    assert content(RandomLabels(items, 3), 3).keys() == {"key", "image", "label"}
    assert view.class_names == ("a+b", "c+d", "e+f", "g")
    assert ClassGroups(items, 4).class_names[:5] == ("a+b+c+d 0", "a+b+c+d 1", "a+b+c+d 2", "a+b+c+d 3", "e+f+g 0")


# ---- given labels


SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.0, 0.0, 1.0]])


def test_labels_are_given():
    view = GivenLabels(dataset(0, 0, 0), [2, -1, 1])
    assert labels(view).tolist() == [2, -1, 1]
    assert content(view, 0)["label"] == 2
    assert not has_getter(view, "confidence")
    assert class_names(view) == Named.classes
    assert labels(GivenLabels(dataset(0, 0), np.array([[1.0], [2.0]]))).tolist() == [1, 2]


def test_the_best_scores_give_labels():
    view = GivenLabels(dataset(0, 0, 0), SCORES)
    assert labels(view).tolist() == [1, 0, 2]
    assert getall(view, "confidence").tolist() == [0.7, 0.5, 1.0]
    assert getitem(view, "confidence", -2) == 0.5
    assert labels(GivenLabels(dataset(0, 0, 0), SCORES, threshold=0.6)).tolist() == [1, -1, 2]


def test_logits_have_a_temperature():
    logits = np.log(SCORES + 1e-9)
    np.testing.assert_allclose(
        getall(GivenLabels(dataset(0, 0, 0), logits, temperature=1), "confidence"), [0.7, 0.5, 1]
    )
    flat = GivenLabels(dataset(0, 0, 0), 1000 * logits, temperature=inf)
    np.testing.assert_allclose(getall(flat, "confidence"), 1 / 3)


def test_labels_are_drawn_from_the_best():
    count = 4000
    view = GivenLabels(Items(range(count), ["image"]), np.tile(SCORES[:1], (count, 1)), top=2, seed=1)
    counts = Counter(labels(view).tolist())
    assert counts.keys() == {1, 2}
    assert abs(counts[1] / count - 7 / 9) < 0.03
    assert labels(view).tolist() == labels(GivenLabels(view.dataset, view.labels, top=2, seed=1)).tolist()
    assert labels(GivenLabels(dataset(0, 0, 0), SCORES, top=1)).tolist() == [1, 0, 2]


def test_files_of_labels_and_scores(tmp_path):
    np.save(tmp_path / "labels.npy", [3, 1, 2])
    view = create("dataset:given_labels", dataset=dataset(0, 0, 0), labels=str(tmp_path / "labels.npy"))
    assert labels(view).tolist() == [3, 1, 2]
    torch = pytest.importorskip("torch")
    torch.save(torch.tensor(SCORES), tmp_path / "scores.pt")
    assert labels(GivenLabels(dataset(0, 0, 0), tmp_path / "scores.pt")).tolist() == [1, 0, 2]
    torch.save({"scores": torch.tensor(SCORES)}, tmp_path / "dict.pth")
    with pytest.raises(FormatError, match=r"dict\.pth: no array of numbers: FormatError: a dict instead of a tensor"):
        labels(GivenLabels(dataset(0, 0, 0), tmp_path / "dict.pth"))


def test_files_that_are_something_else(tmp_path):
    (tmp_path / "text.npy").write_text("no array")
    np.save(tmp_path / "objects.npy", np.array([{}, {}], object))
    np.savez(tmp_path / "several", a=[1], b=[2])
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    (tmp_path / "text.pt").write_text("no tensor")
    for name in ("text.npy", "objects.npy", "several.npy", "text.pt"):
        if name.endswith(".pt"):
            pytest.importorskip("torch")
        with pytest.raises(FormatError, match=name):
            labels(GivenLabels(dataset(0), tmp_path / name))
    with pytest.raises(DatasetError, match=r"none\.npy: cannot be read: No such file"):
        labels(GivenLabels(dataset(0), tmp_path / "none.npy"))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: GivenLabels(dataset(0, 0), [1]), "given_labels: 1 labels, but Items has 2 samples"),
        (lambda: GivenLabels(dataset(0), ["ant"]), "expected labels or scores, got <U3 of shape (1,)"),
        (lambda: GivenLabels(dataset(0), [0.5]), "labels[0] is 0.5: expected whole numbers from -1"),
        (lambda: GivenLabels(dataset(0), [float("nan")]), "labels[0] is nan"),
        (lambda: GivenLabels(dataset(0), [-2]), "labels[0] is -2"),
        (lambda: GivenLabels(dataset(0), [1], threshold=0.5), "threshold needs scores (samples, classes)"),
        (lambda: GivenLabels(dataset(0), [[1, -2]]), "scores[0] are no probabilities: [1, -2]...; logits need a"),
        (lambda: GivenLabels(dataset(0), [[0, 0.0]]), "scores[0] are no probabilities"),
        (lambda: GivenLabels(dataset(0), [[1, inf]]), "scores[0] are no probabilities"),
        (lambda: GivenLabels(dataset(0), [[1, 2]], top=3), "top=3, but there are 2 classes"),
        (lambda: GivenLabels(dataset(0), [[1, 2]], top=1, threshold=0.5), "threshold and top: one of them"),
        (lambda: GivenLabels(dataset(0), [[1, 2]], threshold=2), "threshold=2: expected a probability"),
        (lambda: GivenLabels(dataset(0), [[1, 2]], temperature=0), "temperature=0: expected a number above 0"),
        (lambda: RandomLabels(dataset(0), mode="randm"), "no mode 'randm', did you mean 'random'?"),
        (lambda: RandomLabels(Items([(0, -1)])), "the dataset has no classes; say how many"),
        (lambda: SwapLabels(dataset(0), 1.5), "swap_labels: p=1.5: expected a probability"),
        (lambda: Unlabelled(dataset(0), 101), "unlabelled: percent=101"),
        (lambda: ClassGroups(dataset(0), 0), "class_groups: size=0"),
        (lambda: RandomSuperclasses(dataset(0), 2, splits=0), "random_superclasses: splits=0"),
    ],
    ids=range(19),
)
def test_what_makes_no_sense_is_refused(make, text):
    with pytest.raises(LeavenError) as error:
        labels(make())
    assert text in str(error.value)


@pytest.mark.parametrize("call", ["random_superclasses(2)", "class_groups(2)"])
def test_labels_far_below_0_are_none_and_those_beyond_the_names_are_told(call):
    found = labels(create(f"dataset:{call}", dataset=Items([(0, 0), (1, 1), (2, -9)])))
    assert (found >= 0).tolist() == [True, True, False]
    with pytest.raises(ParameterError, match="sample 1 of Items has label 7, but there are names for 7 classes: a"):
        labels(create(f"dataset:{call}", dataset=dataset(0, 7)))


@pytest.mark.parametrize(
    ("given", "options", "text"),
    [
        ([1e300, 0], {}, r"labels\[0\] is 1e\+300: expected whole numbers"),
        ([0, inf], {}, r"labels\[1\] is inf: expected whole numbers"),
        (np.array([0, 2**63], np.uint64), {}, r"labels\[1\] is 9223372036854775808: expected whole numbers"),
        ([[0], [1, 2]], {}, "expected rows of one length"),
        ([0, 2], {"classes": ["a", "b"]}, r"labels\[1\] is 2, but classes names 2: a, b"),
        ([0, 1], {"classes": "ab"}, "expected a list of names"),
        ([0, 1], {"temperature": "hot"}, "temperature='hot': expected a number above 0"),
    ],
)
def test_what_cannot_be_a_label_is_refused(given, options, text):
    with pytest.raises(ParameterError, match=text):
        labels(GivenLabels(dataset(0, 1), given, **options))
