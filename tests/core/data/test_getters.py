from __future__ import annotations

import numpy as np
import pytest

from leaven.data.getters import (
    class_names,
    content,
    field,
    getall,
    getitem,
    getter,
    has_all,
    has_getter,
    labels,
    names_of,
)
from leaven.errors import ParameterError, SampleError
from leaven.stream.wire import pack_sample


class Samples:
    def __init__(self, *samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def sample(self, index):
        return self.samples[index]


class Own(Samples):
    classes = ["ant", "bee"]

    def getitem_y(self, index, ctx=None):
        return 10 + index

    def getall_class(self):
        return [7] * len(self)


def test_parts_come_from_samples_packed_or_not():
    dataset = Samples(pack_sample({"key": "a", "image": b"i", "label": 2}), {"key": "b", "x": 5, "class": 1})
    assert [getitem(dataset, name, 0) for name in ("image", "x", "label", "class", "y")] == [b"i", b"i", 2, 2, 2]
    assert [getitem(dataset, name, 1) for name in ("image", "x", "label", "class", "y")] == [5, 5, 1, 1, 1]
    assert getall(dataset, "key") == ["a", "b"]
    assert labels(dataset).tolist() == [2, 1]
    assert labels(dataset).dtype == np.int64
    assert content(dataset, 0) == {"key": "a", "image": b"i", "label": 2}
    assert not has_getter(dataset, "label")
    assert not has_all(dataset, "label")


def test_a_dataset_s_own_getters_come_first_under_all_names():
    dataset = Own({"label": 0}, {"label": 0})
    assert [getter(dataset, name)(1, None) for name in names_of("label")] == [11, 11, 11]
    assert getall(dataset, "label") == [7, 7]
    assert has_getter(dataset, "class")
    assert has_all(dataset, "y")
    assert class_names(dataset) == ("ant", "bee")
    assert class_names(Samples()) == ()


def test_what_is_not_there_is_named():
    with pytest.raises(SampleError, match="sample 0 \\(a\\): read failed: no field 'lable', did you mean 'label'"):
        getitem(Samples({"key": "a", "label": 0}), "lable", 0)
    with pytest.raises(SampleError, match="no field 'mask'; it has: image, key"):
        field({"key": "a", "image": 0}, "mask", 0)


def test_labels_are_whole_numbers():
    assert labels(Samples()).tolist() == []
    for value in (0.5, "ant", [1, 0]):
        with pytest.raises(ParameterError, match="'label' is no label: expected one whole number for each sample"):
            labels(Samples({"label": value}))


@pytest.mark.parametrize(
    "values", [[[1], [2, 3]], [2**63, 1], np.array([2**63], np.uint64), [10**30, 1], [1, 2.5], ["a", "b"], [None, 1]]
)
def test_what_is_no_label_is_never_made_one(values):
    class Labelled(Samples):
        def getall_label(self):
            return values

    with pytest.raises(ParameterError, match="is no label: expected one whole number"):
        labels(Labelled(*({"label": 0} for _ in values)))


def test_a_number_of_classes_is_no_list_of_names():
    class Counted(Samples):
        class_names = ()
        classes = 10

    class Listed(Samples):
        class_names = np.array(["ant", "bee"])

    assert class_names(Counted()) == ()
    assert class_names(Listed()) == ("ant", "bee")
