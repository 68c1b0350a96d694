from __future__ import annotations

import pickle

import numpy as np
import pytest

from leaven import create
from leaven.data.mode import ModeView, NotInContext, add_item, get_item, has_item, item_index, set_item
from leaven.errors import LeavenError, ParameterError
from leaven.registry.recipes import Recipe, recipe_of
from leaven.stream import wire


class Dataset:
    """Images that count how often they are read; the crop that was drawn is in the context."""

    def __init__(self, count=5):
        self.count = count
        self.reads = []

    def __len__(self):
        return self.count

    def sample(self, index):
        self.reads.append(("sample", index))
        return {"key": f"k{index}", "image": index * 10, "label": index % 2, "caption": f"no {index}"}

    def key(self, index):
        return f"k{index}"

    def getitem_x(self, index, ctx=None):
        self.reads.append(("x", index))
        if ctx is not None:
            ctx["crop"] = (index, index)
        return index * 10

    def getitem_class(self, index, ctx=None):
        self.reads.append(("class", index))
        return index % 2

    def close(self):
        self.reads.append("closed")


class Fused(Dataset):
    fused = [["x", "mask"], ["x", "class"]]

    def getitem_xclass(self, index, ctx=None):
        self.reads.append(("xclass", index))
        return index * 10, -index


def test_one_name_gives_a_value_and_several_a_tuple_in_their_order():
    assert list(ModeView(Dataset(3), "x")) == [0, 10, 20]
    assert list(ModeView(Dataset(3), "class index x")) == [(0, 0, 0), (1, 1, 10), (0, 2, 20)]


def test_only_what_is_asked_for_is_read():
    dataset = Dataset()
    assert ModeView(dataset, "y")[3] == 1
    assert ModeView(dataset, "index")[3] == 3
    assert dataset.reads == [("class", 3)]


def test_fields_without_a_getter_come_from_the_sample_which_is_read_once():
    dataset = Dataset()
    view = ModeView(dataset, "caption key x")
    dataset.reads.clear()
    assert view[1] == ("no 1", "k1", 10)
    assert dataset.reads == [("sample", 1), ("x", 1)]


def test_positions():
    view = ModeView(Dataset(), "x")
    assert len(view) == 5
    assert view[-1] == 40
    assert view[1:4] == [10, 20, 30]
    assert view[::-2] == [40, 20, 0]
    assert view[[3, -5, 3]] == [30, 0, 30]
    assert view[np.array([1, 2])] == [10, 20]
    assert view[np.int64(2)] == 20
    assert view.__getitems__((2, 1)) == [20, 10]
    for index in (5, -6, [0, 5]):
        with pytest.raises(IndexError, match=r"Dataset: no sample -?[56], there are 5"):
            view[index]


def test_what_was_drawn_for_one_part_can_be_asked_for_after_it():
    assert ModeView(Dataset(), "x ctx.crop")[2] == (20, (2, 2))
    with pytest.raises(NotInContext, match=r"ctx\.crop: no part that stands before it has put 'crop'.*it has: none"):
        ModeView(Dataset(), "ctx.crop x")[2]
    with pytest.raises(KeyError):
        ModeView(Dataset(), "x ctx.size")[2]
    assert issubclass(NotInContext, LeavenError)


def test_the_context_is_new_for_each_sample_and_there_only_if_somebody_needs_it():
    view = ModeView(Dataset(), "x class", return_ctx=True)
    assert view[:2] == [((0, 0), {"crop": (0, 0)}), ((10, 1), {"crop": (1, 1)})]
    assert ModeView(Dataset(), "class", return_ctx=True)[1] == (1, {})

    class Without(Dataset):
        def getitem_x(self, index, ctx=None):
            assert ctx is None
            return index

    assert ModeView(Without(), "x class")[1] == (1, 1)


def test_parts_that_are_read_together():
    dataset = Fused()
    assert ModeView(dataset, "y index image")[2] == (-2, 2, 20)
    assert dataset.reads == [("xclass", 2)]
    dataset.reads.clear()
    assert ModeView(dataset, "x")[2] == 20
    assert dataset.reads == [("x", 2)]


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("x clas", "Dataset has no part 'clas', did you mean 'class'?; it has: caption, class, image, index, key"),
        ("", "mode '': expected names"),
        ("ctx.", "has no part 'ctx.'"),
        (3, "mode 3: expected names"),
    ],
)
def test_modes_that_make_no_sense_are_refused_at_once(mode, text):
    with pytest.raises(ParameterError) as error:
        ModeView(Dataset(), mode)
    assert text in str(error.value)


def test_an_empty_dataset_has_no_samples():
    assert list(ModeView(Dataset(0), "anything")) == []


def test_as_a_dataset_it_has_samples_of_the_parts():
    view = ModeView(Dataset(), "class caption")
    assert view.sample(-1) == {"key": "k4", "class": 0, "caption": "no 4"}
    assert view.key(1) == "k1"
    view.close()
    assert view.dataset.reads[-1] == "closed"


def test_it_can_be_copied_and_made_in_another_process():
    view = ModeView(create("dataset:digits"), "label")
    assert pickle.loads(pickle.dumps(view))[7] == view[7]
    assert Recipe.from_plain(wire.unpack(wire.pack(recipe_of(view).to_plain()))).build()[7] == view[7]


def test_names_within_modes_and_their_items():
    assert has_item("x class", "class")
    assert not has_item("x class", "cla")
    assert add_item("x", "class") == "x class"
    assert add_item("x class", "x") == "x class"
    assert item_index("x class", "class") == 1
    assert get_item("x class", "class", (5, 6)) == 6
    assert get_item("x", "x", 5) == 5
    assert set_item("x class", "x", (5, 6), 7) == (7, 6)
    assert set_item("x", "x", 5, 7) == 7
    with pytest.raises(ParameterError, match="mode 'x class' has no 'clas', did you mean 'class'"):
        get_item("x class", "clas", (5, 6))
