"""One DataLoader for training and evaluation."""

from __future__ import annotations

import pytest

from leaven import ParameterError
from leaven.data.interleaved import Interleaved, Side
from leaven.data.orders import order_of
from leaven_plugins.torch_data.interleaved import interleaved_loader

pytest.importorskip("torch")

SIDES = [Side(order_of(range(3)), every_n_epochs=1, batch_size=2), Side(order_of(range(2)), every_n_updates=3)]
BATCHES = Interleaved(order_of(range(4)), 2, SIDES, epochs=2)
DATASETS = [range(4), [10.0, 11.0, 12.0], ["a", "b"]]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_batches_come_with_the_number_of_their_dataset(num_workers):
    loader = interleaved_loader(BATCHES, DATASETS, num_workers=num_workers)
    one = [(0, [0, 1]), (0, [2, 3]), (1, [10, 11]), (1, [12])]
    expected = [*one, (0, [0, 1]), (2, ["a", "b"]), *one[1:]]
    assert [(number, list(batch)) for number, batch in loader] == expected


def test_each_dataset_is_collated_in_its_way():
    loader = interleaved_loader(BATCHES, DATASETS, [sum, None, "".join])
    assert [batch for number, batch in loader if number == 0] == [1, 5, 1, 5]
    assert [batch for number, batch in loader if number == 2] == ["ab"]


def test_datasets_that_do_not_fit():
    with pytest.raises(ParameterError, match=r"\[4, 3\] samples: expected \[4, 3, 2\]"):
        interleaved_loader(BATCHES, DATASETS[:2])
    with pytest.raises(ParameterError, match="1 collate functions for 3 datasets"):
        interleaved_loader(BATCHES, DATASETS, [None])
