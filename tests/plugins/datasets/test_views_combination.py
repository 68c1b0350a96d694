"""Several datasets as one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import create
from leaven.data.adapters import Items
from leaven.data.getters import content, getitem, labels
from leaven.errors import DatasetError, LeavenError, ParameterError, SampleError
from leaven_plugins.datasets.combination import Choice, Composite, Concat

LENGTHS = st.lists(st.integers(0, 12), min_size=1, max_size=4)


class Named(list):
    def __init__(self, items, classes=()):
        super().__init__(items)
        self.classes = classes


class Keyed(Items):
    """Items with keys of their own."""

    def key(self, index):
        return self.items[index][0]


def numbered(lengths):
    """Datasets of (dataset, position)."""
    return [Items([((part, n), n) for n in range(length)]) for part, length in enumerate(lengths)]


def shown(view):
    return [content(view, position)["image"] for position in range(len(view))]


def in_a_row(lengths):
    return [(part, n) for part, length in enumerate(lengths) for n in range(length)]


@given(LENGTHS)
def test_one_after_the_other(lengths):
    view = Concat(numbered(lengths))
    assert shown(view) == in_a_row(lengths)
    assert [getitem(view, "x", n) for n in range(len(view))] == in_a_row(lengths)
    assert labels(view).tolist() == [n for _, n in in_a_row(lengths)]
    keys = [view.key(n) for n in range(len(view))]
    assert len(set(keys)) == len(keys)
    assert [view.key(n - len(view)) for n in range(len(view))] == keys


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_by_turns(lengths):
    view = Concat(numbered(lengths), balanced=True)
    expected = [(part, n % length) for n in range(max(lengths)) for part, length in enumerate(lengths)]
    assert shown(view) == expected
    assert labels(view).tolist() == [n for _, n in expected]
    keys = [view.key(n) for n in range(len(view))]
    assert len(set(keys)) == len(keys)


def test_keys_stay_as_they_are_unless_an_earlier_dataset_has_the_same():
    parts = [Keyed([("a", 0), ("b", 0)]), Keyed([("c", 0), ("a", 0)]), Keyed([("a", 0), ("a#2", 0)])]
    view = Concat(parts)
    assert [view.key(n) for n in range(6)] == ["a", "b", "c", "a#2", "a#3", "a#2#1"]


def test_a_dataset_that_knows_its_keys_is_asked():
    class Asked(Keyed):
        def __contains__(self, key):
            return key == "a"

        def key(self, index):
            raise AssertionError("all keys were read")

    assert Concat([Asked([("a", 0)]), Keyed([("a", 0), ("b", 0)])]).key(1) == "a#2"


def test_class_names_have_to_agree():
    ants, cats = Named([(0, 0)], ["ant", "bee"]), Named([(1, 0)], ["cat"])
    with pytest.raises(DatasetError, match="label 0 is 'cat' in Items, but 'ant' in another of the datasets"):
        len(Concat([Items(ants), Items(cats)]))
    assert Concat([Items(ants), Items(Named([(1, 0)], ["ant"]))]).class_names == ("ant", "bee")
    assert Concat([Items(ants), Items([(1, 0)])]).class_names == ()


def test_getters_that_one_of_them_has():
    view = Concat([create("dataset:digits", split="val", val=3), Items([("x", 7)])])
    assert [getitem(view, "label", n) for n in range(4)] == [*labels(view)[:3], 7]
    assert not hasattr(view, "offset")
    assert not hasattr(view, "getitem_mask")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        view.nothing


def test_all_are_closed_and_open_again():
    view = create("dataset:concat", datasets=["digits", "digits"])
    first = view.sample(0)
    view.close()
    assert "sizes" not in vars(view)
    assert view.sample(0) == first


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Concat([]), "concat: no datasets; expected at least one"),
        (lambda: len(Concat(numbered([2, 0]), balanced=True)), "concat: Items has no samples, and cannot take turns"),
        (lambda: Concat(numbered([2, 1])).sample(3), "no sample 3, there are 3"),
        (lambda: Choice([]), "choice: no datasets"),
        (lambda: Choice(numbered([1]), block=0), "choice: block=0: expected a whole number, at least 1"),
        (lambda: Composite([]), "composite: no datasets"),
        (lambda: Composite(numbered([1]), "flat"), "layout='flat': expected flatten, nested, or a list of names"),
        (lambda: Composite(numbered([1]), ["a", "b"]), "expected a name for each of 1 datasets"),
        (lambda: Composite(numbered([1]), ["key"]), "none of them key"),
        (lambda: Composite(numbered([1]), length="middle"), "expected shortest or longest"),
        (lambda: len(Composite(numbered([1, 0]), length="longest")), "Items has no samples, and cannot begin again"),
    ],
    ids=range(11),
)
def test_what_makes_no_sense_is_refused(make, text):
    with pytest.raises((LeavenError, IndexError)) as error:
        make()
    assert text in str(error.value)


# ---- choice


@given(LENGTHS, st.integers(1, 4), st.none() | st.integers(0, 3))
def test_rounds_of_blocks_end_with_the_first_dataset_that_has_none(lengths, block, seed):
    view = Choice(numbered(lengths), block=block, seed=seed)
    blocks = [shown(view)[n : n + block] for n in range(0, len(view), block)]
    rounds = min(lengths) // block
    for turn in range(rounds):
        here = blocks[turn * len(lengths) : (turn + 1) * len(lengths)]
        expected = [[(part, turn * block + n) for n in range(block)] for part in range(len(lengths))]
        assert (here if seed is None else sorted(here)) == expected
    assert len(blocks) == rounds * len(lengths)


@given(LENGTHS, st.integers(1, 4), st.none() | st.integers(0, 3))
def test_stratified_blocks_show_everything_once(lengths, block, seed):
    view = Choice(numbered(lengths), stratified=True, block=block, seed=seed)
    assert sorted(shown(view)) == in_a_row(lengths)
    whole = sum(length // block for length in lengths) * block
    for n in range(0, whole, block):
        assert len({part for part, _ in shown(view)[n : n + block]}) == 1
    for part, length in enumerate(lengths):
        assert [n for other, n in shown(view) if other == part] == list(range(length))


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_stratified_blocks_are_spread_evenly(seed):
    view = Choice(numbered([100, 300, 600]), stratified=True, block=5, seed=seed)
    for tenth in range(10):
        found = Counter(part for part, _ in shown(view)[tenth * 100 : (tenth + 1) * 100])
        assert all(abs(found[part] - share) <= 10 for part, share in enumerate([10, 30, 60]))


def test_another_seed_is_another_order():
    orders = [tuple(shown(Choice(numbered([8, 8]), seed=seed))) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


# ---- composite


def photo_and_mask():
    return [
        Items([({"image": f"i{n}", "label": n}) for n in range(3)], ["image", "label"]),
        Items([({"image": f"m{n}", "depth": n}) for n in range(2)], ["image", "depth"]),
    ]


def test_side_by_side_in_one_mapping():
    view = Composite(photo_and_mask())
    assert len(view) == 2
    assert view.sample(1) == {"key": "1", "key_2": "1", "image": "i1", "label": 1, "image_2": "m1", "depth": 1}
    assert labels(view).tolist() == [0, 1]
    assert getitem(view, "depth", 1) == 1


def test_side_by_side_nested():
    view = Composite(photo_and_mask(), "nested")
    assert view.sample(-1) == {
        "key": "1",
        "0": {"key": "1", "image": "i1", "label": 1},
        "1": {"key": "1", "image": "m1", "depth": 1},
    }
    named = Composite(photo_and_mask(), ["photo", "mask"])
    assert named.sample(0)["mask"] == {"key": "0", "image": "m0", "depth": 0}
    assert getitem(named, "mask", 1) == {"key": "1", "image": "m1", "depth": 1}


def test_the_longest_goes_on_and_others_begin_again():
    photos, masks = photo_and_mask()
    view = Composite([masks, photos], length="longest")
    assert [(sample["image"], sample["image_2"]) for sample in map(view.sample, range(3))] == [
        ("m0", "i0"),
        ("m1", "i1"),
        ("m0", "i2"),
    ]
    assert [view.key(n) for n in range(3)] == ["0", "1", "0#2"]
    assert [getitem(view, "depth", n) for n in range(3)] == [0, 1, 0]


def test_labels_of_the_first_dataset_begin_again_too():
    class Targets(list):
        targets = np.array([5, 6])

    first = Items(Targets([("a", 5), ("b", 6)]))
    view = Composite([first, Items([("c", 0)] * 5)], length="longest")
    assert labels(view).tolist() == [5, 6, 5, 6, 5]


def test_parameters_are_checked_where_they_are_made():
    with pytest.raises(ParameterError, match="block"):
        create("dataset:choice", datasets=["digits"], block="2")


def test_no_field_takes_the_place_of_another():
    wide = Items([("a", "b")], ["image", "image_2"])
    with pytest.raises(SampleError, match="field 'image' of dataset 2 would be 'image_2', which is there already"):
        Composite([wide, Items([("c", 1)])]).sample(0)
    with pytest.raises(SampleError, match="would be 'image_2', which is there already"):
        Composite([Items([("c", 1)]), wide]).sample(0)
    assert Composite([wide, Items([("c", 1)])], layout="nested").sample(0)["1"]["image"] == "c"


@pytest.mark.parametrize("layout", [[1, 2], None, [["a"], ["b"]], ["a", "a"], ["a", "key"], ["a"]])
def test_layouts_are_names(layout):
    with pytest.raises(ParameterError, match="expected a name for each of 2 datasets"):
        Composite(numbered([1, 1]), layout=layout)


@pytest.mark.parametrize("stratified", [True, False])
def test_blocks_larger_than_all_datasets_cost_nothing(stratified):
    view = Choice(numbered([3, 2]), stratified=stratified, block=10**30)
    assert shown(view) == (in_a_row([3, 2]) if stratified else [])


def test_values_of_different_kinds_are_put_in_a_row_unchanged():
    class Column(Items):
        def getall_tag(self):
            return np.array([row[0] for row in self.items])

    parts = [[("a", 0)], [(7, 0)], [([1, 2], 0)]]
    found = Concat([Column(part) for part in parts]).getall_tag()
    assert [value.tolist() for value in found] == ["a", 7, [1, 2]]
    assert Concat([Column(part) for part in parts[1:2] * 2]).getall_tag().dtype == np.int64
