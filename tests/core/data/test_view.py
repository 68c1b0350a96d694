from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.data.changed import Relabelled
from leaven.data.getters import class_count, class_names, content, getall, getitem, has_getter, labels
from leaven.data.view import Selection, View, layers, layers_of, numbered, occurrences, root, title
from leaven.stream.wire import pack_sample


class Counting:
    """Packed samples; it counts how often samples are read, and has labels without them."""

    class_names = ("ant", "bee", "cat")
    fused = [["image", "label"]]

    def __init__(self, count=6, path="/data/some.msgpack"):
        self.count, self.path = count, path
        self.read, self.closed = 0, 0

    def __len__(self):
        return self.count

    def sample(self, index):
        self.read += 1
        return pack_sample(
            {"key": f"k{index}", "image": b"i%d" % index, "label": index % 3, "_label": "abc"[index % 3]}
        )

    def key(self, index):
        return f"k{index}"

    def offset(self, index):
        return 100 * index

    def getitem_label(self, index, ctx=None):
        if ctx is not None:
            ctx["seen"] = index
        return index % 3

    def getitem_imagelabel(self, index, ctx=None):
        return b"i%d" % index, index % 3

    def getall_label(self):
        return np.arange(self.count) % 3

    def close(self):
        self.closed += 1


@dataclass(frozen=True, eq=False)
class Picked(Selection):
    repeats = True

    dataset: object
    picked: tuple = ()

    def chosen(self):
        return np.array(self.picked, np.int64)


@dataclass(frozen=True, eq=False)
class Plain(View):
    dataset: object


@dataclass(frozen=True, eq=False)
class Reversed(Relabelled):
    dataset: object

    def relabelled(self):
        return 2 - labels(self.dataset)


def test_a_selection_shows_what_it_has_picked():
    view = Picked(Counting(), (4, 1, 4))
    assert [content(view, i)["key"] for i in range(3)] == ["k4", "k1", "k4"]
    assert [view.key(i) for i in range(3)] == ["k4", "k1", "k4#2"]
    assert view.sample(-2) == Counting().sample(1)
    assert view.offset(1) == 100
    assert view.class_names == ("ant", "bee", "cat")
    assert view.fused == [["image", "label"]]
    assert getitem(view, "imagelabel", 0) == (b"i4", 1)


def test_labels_are_picked_without_reading_a_sample():
    dataset = Counting(9)
    view = Picked(Picked(Plain(dataset), (8, 7, 3, 2)), (0, 3, 3))
    assert labels(view).tolist() == [2, 2, 2]
    assert [getitem(view, "class", i) for i in range(3)] == [2, 2, 2]
    assert dataset.read == 0


def test_the_context_reaches_the_getter_below():
    ctx = {}
    assert getitem(Plain(Picked(Counting(), (5, 4))), "y", 1, ctx) == 1
    assert ctx == {"seen": 4}


def test_a_list_stays_a_list():
    class Lists(Counting):
        def getall_label(self):
            return [0, 1, 2, 0, 1, 2]

    assert Picked(Lists(), (5, 1)).getall_label() == [2, 1]


@pytest.mark.parametrize("index", [3, -4, 10**12])
def test_positions_end_and_the_error_names_all_views_and_the_path(index):
    view = Plain(Picked(Counting(), (4, 1, 4)))
    for read in (view.sample, view.key, view.offset, view.getitem_label):
        with pytest.raises(IndexError, match=rf"picked of /data/some.msgpack: no sample {index}, there are 3"):
            read(index)


def test_what_the_dataset_below_does_not_have_the_view_does_not_have():
    view = Plain(Counting())
    assert not has_getter(view, "mask")
    for name in ("getitem_mask", "getall_mask", "find", "getitem_", "__setstate__"):
        assert not hasattr(view, name)
    with pytest.raises(AttributeError, match="'Plain' object has no attribute 'nothing'"):
        view.nothing


def test_it_is_closed_with_what_is_below_and_opens_again():
    dataset = Counting()
    view = Picked(dataset, (2, 2))
    assert view.key(1) == "k2#2"
    assert {"positions", "_turns"} <= vars(view).keys()
    view.close()
    view.close()
    assert dataset.closed == 2
    assert vars(view).keys() == {"dataset", "picked"}
    assert view.key(1) == "k2#2"


@pytest.mark.parametrize("copied", [copy.copy, lambda view: pickle.loads(pickle.dumps(view))], ids=["copy", "pickle"])
def test_copies_hold_arguments_only(copied):
    view = Picked(Counting(), (2, 2))
    len(view)
    again = copied(view)
    assert vars(again).keys() == {"dataset", "picked"}
    assert again.key(1) == "k2#2"


def test_labels_change_in_samples_and_under_every_name():
    dataset = Counting()
    view = Picked(Reversed(dataset), (0, 2, 1))
    assert labels(view).tolist() == [2, 0, 1]
    for name in ("label", "class", "y"):
        assert [getitem(view, name, i) for i in range(3)] == [2, 0, 1]
        assert getall(view, name).tolist() == [2, 0, 1]
    assert dataset.read == 0
    assert content(view, 1) == {"key": "k2", "image": b"i2", "label": 0, "_label": "ant"}


def test_what_is_read_together_with_labels_is_not_handed_on_past_a_change():
    view = Plain(Reversed(Counting()))
    assert view.fused == []
    assert not hasattr(view, "getitem_imagelabel")


def test_labels_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        Reversed(Counting()).getall_label()[0] = 5


def test_layers_from_the_outermost_to_the_root():
    dataset = Counting()
    inner = Picked(dataset, (0,))
    outer = Plain(inner)
    assert layers(outer) == [outer, inner, dataset]
    assert root(outer) is dataset
    assert layers_of(outer, Selection) == [inner]
    assert layers_of(dataset, View) == []
    assert title(outer) == "plain of picked of /data/some.msgpack"
    assert title([1]) == "list"


def test_classes_are_counted_by_names_or_by_labels():
    class Nameless(Counting):
        class_names = ()

    assert class_count(Counting(1)) == 3
    assert class_count(Nameless(2)) == 2
    assert class_count(Nameless(0)) == 0
    assert class_names(Plain(Nameless())) == ()


@given(st.lists(st.integers(0, 5)))
def test_occurrences_are_counted(values):
    expected = [values[:i].count(value) for i, value in enumerate(values)]
    assert occurrences(np.array(values, np.int64)).tolist() == expected


@given(
    st.lists(st.tuples(st.sampled_from(["a", "a#2", "a#2#1", "#1", "b"]), st.integers(1, 12)), unique=True, min_size=2)
)
def test_numbered_keys_differ_where_key_or_turn_differ(pairs):
    assert len({numbered(key, turn) for key, turn in pairs}) == len(pairs)


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=8), min_size=1, max_size=3))
def test_keys_of_views_of_views_are_unique(picks):
    view = Counting()
    for picked in picks:
        view = Picked(view, tuple(picked))
    keys = [view.key(i) for i in range(len(view))]
    assert len(set(keys)) == len(keys)


def test_a_million_labels_through_three_views_are_operations_on_arrays():
    class Million(Counting):
        def __init__(self):
            super().__init__(10**6)

        @cached_property
        def _all(self):
            return np.arange(10**6) % 3

        def getall_label(self):
            return self._all

        def getitem_label(self, index, ctx=None):
            raise AssertionError("one by one")

    @dataclass(frozen=True, eq=False)
    class Backwards(Selection):
        dataset: object

        def chosen(self):
            return np.arange(len(self.dataset))[::-1]

    view = Backwards(Backwards(Backwards(Million())))
    assert labels(view)[:4].tolist() == [0, 2, 1, 0]


def test_names_of_classes_are_hidden_with_the_labels():
    class Columns(Counting):
        def getitem__label(self, index, ctx=None):
            return "stale"

    below = Columns()
    assert Plain(below).getitem__label(0) == "stale"
    assert not hasattr(Reversed(below), "getitem__label")
