from __future__ import annotations

import numpy as np
import pytest

from leaven.data.adapters import Items
from leaven.data.getters import getitem, labels
from leaven.errors import ParameterError, SampleError


class Vision(list):
    """Like a dataset of torchvision."""

    classes = ["ant", "bee"]
    targets = [0, 1, 1]


PAIRS = [(np.zeros((2, 3, 3), np.uint8), 0), ("second", 1), ("third", 1)]


def test_tuples_are_samples():
    dataset = Items(PAIRS)
    assert len(dataset) == 3
    assert dataset.sample(1) == {"key": "1", "image": "second", "label": 1}
    assert dataset.sample(-1)["key"] == dataset.key(-1) == "2"
    assert getitem(dataset, "x", 2) == "third"
    assert labels(dataset).tolist() == [0, 1, 1]
    with pytest.raises(IndexError, match="Items: no sample 3, there are 3"):
        dataset.sample(3)


def test_mappings_and_single_values_are_samples():
    assert Items([{"a": 1, "b": 2}], ["b"]).sample(0) == {"key": "0", "b": 2}
    assert Items([[1, 2]], ["point"]).sample(0) == {"key": "0", "point": [1, 2]}


def test_labels_are_read_without_items_where_nothing_changes_them():
    class Unreadable(Vision):
        def __getitem__(self, index):
            raise AssertionError("an item was read")

    dataset = Items(Unreadable(PAIRS))
    assert labels(dataset).tolist() == [0, 1, 1]
    assert dataset.class_names == ("ant", "bee")
    changing = Vision([("a", 5), ("b", 6), ("c", 7)])
    changing.target_transform = int
    assert labels(Items(changing)).tolist() == [5, 6, 7]
    assert labels(Items(Vision(PAIRS[:2]))).tolist() == [0, 1]  # targets are of something else


def test_tensors_become_arrays_in_samples_and_stay_in_getters():
    torch = pytest.importorskip("torch")
    dataset = Items([(torch.zeros(3, 2, 2), torch.tensor(4))])
    sample = dataset.sample(0)
    assert isinstance(sample["image"], np.ndarray)
    assert sample["label"] == 4
    assert isinstance(sample["label"], int)
    assert isinstance(getitem(dataset, "image", 0), torch.Tensor)


def test_what_is_not_as_it_was_said():
    with pytest.raises(SampleError, match="sample 0: read failed: 2 values, but fields names 3: a, b, c"):
        Items([(1, 2)], ["a", "b", "c"]).sample(0)
    with pytest.raises(SampleError, match="no field 'lable', did you mean 'label'"):
        Items([{"label": 1}], ["lable"]).sample(0)
    with pytest.raises(ParameterError, match="a generator has no length"):
        Items(x for x in PAIRS)
    with pytest.raises(ParameterError, match="expected a list of different names"):
        Items(PAIRS, ["a", "a"])


def test_labels_have_other_names_too():
    class Targets(list):
        targets = (1, 0)

    assert Items(Targets([("a", 1), ("b", 0)]), ["x", "class"]).getall_class().tolist() == [1, 0]
