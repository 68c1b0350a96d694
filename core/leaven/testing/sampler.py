"""SamplerContract: what a loader relies on in a sampler."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from leaven.protocols import Pass, Sampler
from leaven.registry.registry import Registry
from leaven.testing.component import ComponentContract

_SEED = 2**80 + 5
_LENGTHS = (1, 2, 3, 10, 97, 1000)
_EPOCHS = (0, 1, 7, 1_000_000)


class SamplerContract(ComponentContract):
    """The contract of samplers.

    Attributes:
        exact: whether each pass has every sample once.
        largest: length of a dataset that it goes over in 1 MB of memory.
    """

    exact: ClassVar[bool] = True

    largest: ClassVar[int] = 10**9

    @pytest.fixture
    def sampler(self, component: Sampler) -> Sampler:
        """A new sampler."""
        return component

    def dataset(self, length: int) -> Any:
        """Return a dataset of ``length`` samples; override it where the sampler looks at more than that."""
        return range(length)

    def test_it_has_what_a_sampler_has(self, sampler: Any) -> None:
        """It goes over a dataset."""
        assert isinstance(sampler, Sampler)

    def test_a_pass_has_a_length(self, sampler: Sampler) -> None:
        """A whole number, at least 1; that of the dataset where each sample comes once."""
        for length in _LENGTHS:
            found = sampler.over(self.dataset(length), _SEED).length
            assert isinstance(found, int)
            assert found >= 1
            assert found == length or not self.exact

    def test_indices_are_positions_in_the_dataset(self, sampler: Sampler) -> None:
        """As many whole numbers as ranks are asked for, each a position that there is."""
        for length in _LENGTHS:
            passes = sampler.over(self.dataset(length), _SEED)
            for epoch in _EPOCHS:
                indices = _whole(passes, epoch)
                assert isinstance(indices, np.ndarray)
                assert indices.dtype.kind in "iu"
                assert indices.shape == (passes.length,)
                assert indices.min() >= 0
                assert indices.max() < length

    def test_each_sample_comes_once(self, sampler: Sampler) -> None:
        """In every pass, unless ``exact`` says otherwise."""
        if self.exact:
            for length in _LENGTHS:
                passes = sampler.over(self.dataset(length), _SEED)
                for epoch in _EPOCHS:
                    assert sorted(_whole(passes, epoch)) == list(range(length))

    def test_any_rank_can_be_asked_for(self, sampler: Sampler) -> None:
        """A loader that resumes asks for the middle of a pass first, and for any number of ranks at a time."""
        passes = sampler.over(self.dataset(97), _SEED)
        whole = _whole(passes, 1)
        ranks = np.random.default_rng(0).permutation(passes.length)
        np.testing.assert_array_equal(passes.indices(1, ranks), whole[ranks])
        for rank in ranks[:10]:
            assert passes.indices(1, np.array([rank])) == whole[rank]

    def test_it_repeats_itself(self, registry: Registry, arguments: Any) -> None:
        """Nothing but seed, epoch and rank plays a part: another process, or another day, has the same order."""
        orders = [self._orders(registry.create(self.spec, **arguments), epochs) for epochs in (_EPOCHS, _EPOCHS[::-1])]
        assert orders[0] == orders[1][::-1]

    def test_neither_ranks_nor_global_state_are_touched(self, sampler: Sampler) -> None:
        """Those of the caller, Python's and numpy's."""
        before = random.getstate(), str(np.random.get_state())
        passes = sampler.over(self.dataset(97), _SEED)
        ranks = np.arange(passes.length)
        passes.indices(0, ranks)
        np.testing.assert_array_equal(ranks, np.arange(passes.length))
        assert (random.getstate(), str(np.random.get_state())) == before

    def test_large_datasets_cost_no_memory(self, sampler: Sampler) -> None:
        """A dataset of ``largest`` samples is gone over without a list of them."""
        dataset = self.dataset(self.largest)
        tracemalloc.start()
        try:
            passes = sampler.over(dataset, _SEED)
            for start in (0, passes.length // 3, passes.length - 64):
                passes.indices(3, np.arange(start, start + 64))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 1 << 20

    def _orders(self, sampler: Sampler, epochs: Sequence[int]) -> list[list[int]]:
        passes = sampler.over(self.dataset(97), _SEED)
        return [_whole(passes, epoch).tolist() for epoch in epochs]


def _whole(passes: Pass, epoch: int) -> NDArray[np.int64]:
    return passes.indices(epoch, np.arange(passes.length))
