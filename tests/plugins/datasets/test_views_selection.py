"""Views that show some samples, in another order, or several times."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import create
from leaven.data.adapters import Items
from leaven.data.getters import content, labels
from leaven.errors import DatasetError, LeavenError, ParameterError

ABC = ("ant", "bee", "cat")


class Named(list):
    """Pairs of a number and a label, with names of the classes."""

    classes = ABC


def pairs(*classes):
    return Items(Named((position, label) for position, label in enumerate(classes)))


def shown(view):
    return [content(view, position)["image"] for position in range(len(view))]


def made(call, *classes):
    return create(f"dataset:{call}", dataset=pairs(*classes))


# ---- subset and percent


@given(st.integers(0, 400), st.integers(0, 1000), st.integers(0, 1000))
def test_percentages_are_decimal_numbers(count, start, stop):
    view = create("dataset:percent", dataset=Items(range(count), ["image"]), start=start / 10, stop=stop / 10)
    first, last = (floor(count * Fraction(bound, 1000)) for bound in (start, stop))
    assert view.positions.tolist() == list(range(first, last))


def test_29_percent_of_100_are_29():
    assert len(create("dataset:percent", dataset=Items(range(100), ["image"]), stop=29)) == 29


@given(st.integers(0, 60), st.lists(st.floats(0, 100), max_size=4))
def test_stretches_that_meet_are_a_split(count, cuts):
    bounds = [0, *sorted(cuts), 100]
    dataset = Items(range(count), ["image"])
    parts = [create("dataset:percent", dataset=dataset, start=start, stop=stop) for start, stop in pairwise(bounds)]
    assert [value for part in parts for value in shown(part)] == list(range(count))


def test_an_end_at_0_percent_is_an_empty_dataset():
    assert shown(made("percent(0, 0)", 0, 1, 2)) == []
    assert shown(made("percent(60, 40)", 0, 1, 2)) == []


def test_bounds_can_be_rounded_up():
    assert shown(made("percent(33, 66, True, True)", *[0] * 10)) == [4, 5, 6]


@given(st.integers(0, 9), st.none() | st.integers(-12, 12), st.none() | st.integers(-12, 12))
def test_a_stretch_is_a_slice(count, start, stop):
    view = create("dataset:subset", dataset=Items(range(count), ["image"]), start=start, stop=stop)
    assert shown(view) == list(range(count))[start:stop]


def test_positions_are_shown_as_listed_and_keys_stay_unique():
    view = made("subset([2, -1, 2, 0])", 0, 1, 2, 0)
    assert shown(view) == [2, 3, 2, 0]
    assert [view.key(position) for position in range(4)] == ["2", "3", "2#2", "0"]
    assert shown(create("dataset:subset", dataset=pairs(0, 1), indices=np.array([1, 0], np.uint8))) == [1, 0]
    assert len(made("subset([])", 0, 1)) == 0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("subset([1, 3])", "subset: indices[1] is 3, but Items has 3 samples"),
        ("subset([-4])", "subset: indices[0] is -4"),
        ("subset([0.5])", "expected whole numbers in a row, got float64"),
        ("subset([[0], [1]])", "expected whole numbers in a row"),
        ("subset([True, False, True])", "expected whole numbers in a row, got bool"),
        ("subset([0], start=1)", "indices and bounds: one of them"),
        ("subset(start=1, start_percent=10)", "start and start_percent: one of them"),
        ("subset(stop_percent=101)", "stop_percent=101: expected percent, 0 to 100"),
        ("subset(stop='end')", "stop='end': expected a whole number"),
        ("percent(-1)", "percent: start=-1: expected percent"),
        ("percent(0, 'all')", "percent: stop='all': expected percent"),
        ("percent(True)", "expected percent"),
        ("shuffle(seed=-1)", "shuffle: seed=-1: expected a whole number, at least 0"),
        ("shuffle(0.5)", "shuffle: seed=0.5"),
        ("classes()", "classes: keep or drop: exactly one"),
        ("classes(1, drop=[2])", "keep or drop: exactly one"),
        ("classes(drop=2)", "classes: drop=2: expected a list"),
        ("classes('bie')", "no class 'bie', did you mean 'bee'?; classes: ant, bee, cat"),
        ("classes(0.5)", "0.5: expected a label or the name of a class"),
        ("class_subset(stop=2)", "Items: class 1 (bee) has 1 samples, and stop is 2; check=False takes what there is"),
        ("few_shot(0)", "few_shot: shots=0: expected a whole number, at least 1"),
        ("repeat()", "repeat: times or min_size: exactly one"),
        ("repeat(0)", "repeat: times=0"),
        ("repeat(2, min_size=3)", "times or min_size: exactly one"),
        ("oversample('multply')", "no mode 'multply', did you mean 'multiply'?; modes: multiply, exact"),
    ],
)
def test_what_makes_no_sense_is_refused(call, text):
    with pytest.raises(LeavenError) as error:
        len(made(call, 0, 1, 0))
    assert text in str(error.value)
    assert isinstance(error.value, (ParameterError, DatasetError))


# ---- by class


CLASSES = [2, 0, 1, -1, 0, 2, 2, 0]


def test_classes_by_label_or_name():
    assert shown(made("classes(0, 'cat')", *CLASSES)) == [0, 1, 4, 5, 6, 7]
    assert shown(made("classes(drop=['cat', 0])", *CLASSES)) == [2, 3]
    assert shown(made("classes(keep=[])", *CLASSES)) == []
    view = made("classes(0, 2)", *CLASSES)
    assert (labels(view).tolist(), view.class_names) == ([2, 0, 0, 2, 2, 0], ABC)


def test_classes_that_are_left_can_be_counted_anew():
    view = made("classes(2, 0, relabel=True)", *CLASSES)
    assert labels(view).tolist() == [0, 1, 1, 0, 0, 1]
    assert view.class_names == ("cat", "ant")
    assert content(view, 1) == {"key": "1", "image": 1, "label": 1}
    view = made("classes(drop=[0], relabel=True)", *CLASSES)
    assert labels(view).tolist() == [1, 0, -1, 1, 1]
    assert view.class_names == ("bee", "cat")


def test_a_stretch_of_each_class():
    assert shown(made("class_subset(stop=1)", *CLASSES)) == [1, 2, 0]
    assert shown(made("class_subset(1, 3, check=False)", *CLASSES)) == [4, 7, 5, 6]
    assert shown(made("class_subset(stop_percent=67)", *CLASSES)) == [1, 4, 0, 5]
    assert shown(made("class_subset(-1)", *CLASSES)) == [7, 2, 6]


@given(st.lists(st.integers(-1, 3)), st.integers(1, 4), st.integers(0, 5))
def test_few_shots_are_so_many_of_each_class(classes, shots, seed):
    view = create("dataset:few_shot", dataset=pairs(*classes), shots=shots, seed=seed)
    assert len(set(view.positions.tolist())) == len(view)
    found = labels(view).tolist()
    assert found == sorted(label for label in range(4) for _ in range(min(shots, classes.count(label))))
    assert view.positions.tolist() == made(f"few_shot({shots}, {seed})", *classes).positions.tolist()


@given(st.lists(st.integers(-1, 3)), st.integers(0, 5))
def test_rearranged_samples_are_the_same(classes, seed):
    dataset = pairs(*classes)
    shuffled = create("dataset:shuffle", dataset=dataset, seed=seed)
    within = create("dataset:shuffle_within_classes", dataset=dataset, seed=seed)
    ordered = create("dataset:sort_by_class", dataset=dataset)
    for view in (shuffled, within, ordered):
        assert sorted(shown(view)) == list(range(len(classes)))
    assert shown(shuffled) == np.random.default_rng(seed).permutation(len(classes)).tolist()
    assert labels(within).tolist() == classes
    assert [(label, value) for label, value in zip(labels(ordered).tolist(), shown(ordered), strict=True)] == sorted(
        (label, value) for value, label in enumerate(classes)
    )


# ---- several times


def test_repeated_whole():
    view = made("repeat(2)", 0, 1)
    assert shown(view) == [0, 1, 0, 1]
    assert [view.key(position) for position in range(4)] == ["0", "1", "0#2", "1#2"]
    assert view.key(-1) == "1#2"
    assert labels(view).tolist() == [0, 1, 0, 1]
    with pytest.raises(IndexError, match="repeat of Items: no sample 4, there are 4"):
        view.sample(4)


@given(st.integers(1, 9), st.integers(1, 40))
def test_repeated_up_to_a_size(count, size):
    view = create("dataset:repeat", dataset=Items(range(count), ["image"]), min_size=size)
    assert len(view) % count == 0
    assert size <= len(view) < size + count


def test_nothing_cannot_be_repeated_up_to_a_size():
    with pytest.raises(DatasetError, match="repeat: Items has no samples to get to min_size=5 with"):
        len(made("repeat(min_size=5)"))
    assert len(made("repeat(5)")) == 0


def test_views_of_views_that_repeat_keep_keys_unique():
    view = create(
        {"use": "dataset:repeat", "dataset": made("repeat(2)", 0, 1), "times": 2, "views": ["subset([0, 0])"]}
    )
    assert [view.key(0), view.key(1)] == ["0", "0#2"]
    view = view.dataset
    assert len({view.key(position) for position in range(8)}) == 8


@given(st.lists(st.integers(-1, 3), min_size=1))
def test_oversampled_classes_are_about_as_frequent(classes):
    counts = {label: classes.count(label) for label in set(classes) - {-1}}
    exact = labels(create("dataset:oversample", dataset=pairs(*classes), mode="exact")).tolist()
    assert exact == [label for label in sorted(counts) for _ in range(max(counts.values()))]
    view = create("dataset:oversample", dataset=pairs(*classes))
    assert view.positions.tolist()[: len(classes)] == list(range(len(classes)))
    for label, count in counts.items():
        found = labels(view).tolist().count(label)
        assert found % count == 0
        assert max(counts.values()) - count < found <= max(counts.values())


def test_classes_by_what_numpy_gives_and_never_by_a_label_that_is_none():
    view = create("dataset:classes", dataset=pairs(0, 2, 1, -1), keep=np.array([2, 0]), relabel=True)
    assert (labels(view).tolist(), view.class_names) == ([1, 0], ("cat", "ant"))
    view = create("dataset:classes", dataset=pairs(0, 2, 1, -1), keep=[-1, 2], relabel=True)
    assert (labels(view).tolist(), view.class_names) == ([0, -1], ("cat",))
    with pytest.raises(IndexError, match="classes of Items: no sample 5, there are 2"):
        view.getitem_label(5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"keep": [3]}, "no class 3; there are 3: ant, bee, cat"),
        ({"drop": [0], "relabel": True}, "sample 1 of Items has label 4, but there are names for 3 classes"),
        ({"keep": 0}, "keep=0: expected a list"),
    ],
)
def test_classes_that_there_are_not(options, text):
    with pytest.raises(ParameterError, match=text):
        labels(create("dataset:classes", dataset=pairs(0, 4), **options))


def test_numbers_that_nothing_can_hold():
    view = made("subset([0, 0])", 1)
    for position in (10**30, -(10**30), 2):
        with pytest.raises(IndexError, match="subset of Items: no sample"):
            view.key(position)
    with pytest.raises(ParameterError, match="more samples than can be counted"):
        len(made(f"repeat({10**30})", 1))
    with pytest.raises(ParameterError, match="expected whole numbers in a row"):
        len(made("subset([[0], [1, 2]])", 1))
