"""CollatorContract: what a loader relies on in a collator."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from leaven.protocols import Collator
from leaven.registry.registry import Registry
from leaven.stream import wire
from leaven.testing import tools
from leaven.testing.component import ComponentContract


class CollatorContract(ComponentContract):
    """The contract of collators.

    Attributes:
        batch: what it works on: arrays ``(rows, ...)``, and lists of as many entries.
        reshaped: keys of arrays that it gives another shape or dtype.
    """

    batch: ClassVar[Mapping[str, Any]] = {
        "image": np.stack([tools.picture(8, 8, seed=row).transpose(2, 0, 1) for row in range(4)]),
        "label": np.arange(4).reshape(4, 1),
        "augmentation": [{"angle": 0.1}, {}, {"angle": 0.3}, {}],
    }

    reshaped: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def collator(self, component: Collator) -> Collator:
        """A new collator."""
        return component

    def test_it_has_what_a_collator_has(self, collator: Any) -> None:
        """It collates."""
        assert isinstance(collator, Collator)

    def test_rows_stay_together(self, collator: Collator) -> None:
        """Everything that comes back has an entry for each row, for all the keys there were."""
        rows = len(next(iter(self.batch.values())))
        collated = self._collated(collator)
        assert set(self.batch) <= set(collated)
        assert {key: len(values) for key, values in collated.items()} == dict.fromkeys(collated, rows)

    def test_arrays_keep_their_form(self, collator: Collator) -> None:
        """Shape and dtype of an array are those that the worker has declared."""
        collated = self._collated(collator)
        for key, array in self.batch.items():
            if isinstance(array, np.ndarray) and key not in self.reshaped:
                assert (collated[key].shape, collated[key].dtype) == (array.shape, array.dtype), key

    def test_what_it_returns_can_travel(self, collator: Collator) -> None:
        """Arrays of plain dtypes, and plain data in lists."""
        wire.pack(dict(self._collated(collator)))

    def test_it_repeats_itself(self, registry: Registry, arguments: Mapping[str, Any]) -> None:
        """The generator that it is handed is its only source of chance, and earlier batches play no part."""
        first = registry.create(self.spec, **arguments)
        results = [wire.pack(dict(self._collated(first, seed))) for seed in (1, 2)]
        other = registry.create(self.spec, **arguments)
        assert [wire.pack(dict(self._collated(other, seed))) for seed in (2, 1)] == results[::-1]

    def test_one_row_is_no_trouble(self, collator: Collator) -> None:
        """The last batch of an epoch may have a single row."""
        alone = {key: copy.deepcopy(values[:1]) for key, values in self.batch.items()}
        assert {len(values) for values in collator.collate(alone, np.random.default_rng(0)).values()} == {1}

    def test_a_row_without_a_sample_stays_out_of_the_others(self, collator: Collator) -> None:
        """Whatever a row holds that ``valid`` excludes, the other rows are the same; and the mask is as it was."""
        batches = [self._collated(collator, batch=self._without_a_row(zeros)) for zeros in (True, False)]
        rest = [row for row in range(len(batches[0]["valid"])) if row != 1]
        first, second = ([{key: values[row] for key, values in batch.items()} for row in rest] for batch in batches)
        assert wire.pack(first) == wire.pack(second)
        assert batches[0]["valid"].tolist() == [row != 1 for row in range(len(batches[0]["valid"]))]

    def test_a_batch_without_any_sample_is_no_trouble(self, collator: Collator) -> None:
        """It may be that all samples of a batch have failed."""
        batch = {**self._without_a_row(True), "valid": np.zeros(len(next(iter(self.batch.values()))), bool)}
        empty = {key: [None] * len(values) if isinstance(values, list) else values for key, values in batch.items()}
        assert not collator.collate(empty, np.random.default_rng(0))["valid"].any()

    def test_without_chance_it_is_the_same_for_any_generator(self, collator: Any) -> None:
        """What ``without_chance()`` returns, where there is such a method, is a collator that draws nothing."""
        if hasattr(collator, "without_chance"):
            still = collator.without_chance()
            assert isinstance(still, Collator)
            assert len({wire.pack(dict(self._collated(still, seed))) for seed in range(3)}) == 1

    def _collated(self, collator: Collator, seed: int = 0, batch: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        return collator.collate(copy.deepcopy(dict(batch or self.batch)), np.random.default_rng(seed))

    def _without_a_row(self, zeros: bool) -> dict[str, Any]:
        """Return the batch with a mask, and nothing in its second row; arrays have zeros there, or large values."""
        batch: dict[str, Any] = copy.deepcopy(dict(self.batch))
        for values in batch.values():
            values[1] = None if isinstance(values, list) else 0 if zeros else 100
        return {**batch, "valid": np.arange(len(next(iter(batch.values())))) != 1}
