"""WorkerContract: what a loader relies on in a worker."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from leaven.errors import SampleError
from leaven.protocols import Worker
from leaven.registry.registry import Registry
from leaven.stream import wire
from leaven.stream.loader import TurboDataLoader
from leaven.testing import tools
from leaven.testing.component import ComponentContract


class WorkerContract(ComponentContract):
    """The contract of workers that make one batch of one request.

    Attributes:
        samples: what it works on; three or more.
    """

    samples: ClassVar[Sequence[Mapping[str, Any]]] = tools.samples()

    @pytest.fixture
    def contents(self) -> list[Mapping[str, Any]]:
        """The samples, for this test alone."""
        return copy.deepcopy(list(self.samples))

    @pytest.fixture
    def packed(self) -> list[bytes]:
        """The samples as packed messages."""
        return [wire.pack_sample(sample) for sample in self.samples]

    @pytest.fixture
    def worker(self, component: Worker) -> Worker:
        """A new worker, set up."""
        component.setup()
        return component

    def test_it_has_what_a_worker_has(self, component: Any) -> None:
        """Buffers are known before it is set up: the loader allocates them."""
        assert isinstance(component, Worker)
        assert dict(component.buffers) == dict(component.buffers)

    def test_arrays_are_as_declared(self, worker: Worker, contents: list[Any]) -> None:
        """Each buffer comes back with one row for each sample, in its shape and dtype."""
        batch = tools.run_worker(worker, contents)
        for key, spec in worker.buffers.items():
            assert batch[key].shape == (len(contents), *spec.shape), key
            assert batch[key].dtype == spec.dtype, key

    def test_everything_has_an_entry_for_each_sample(self, worker: Worker, contents: list[Any]) -> None:
        """Arrays and lists are as long as the batch, of any size."""
        for count in (len(contents), 1):
            for key, values in tools.run_worker(worker, contents[:count]).items():
                assert len(values) == count, key

    def test_it_repeats_itself(self, registry: Registry, arguments: Mapping[str, Any], packed: list[bytes]) -> None:
        """Another worker makes the same of the same seed, epoch and position."""
        batches = []
        for _ in range(2):
            worker = registry.create(self.spec, **arguments)
            worker.setup()
            batches.append(tools.run_worker(worker, packed, epoch=3, seed=7))
        _assert_same(*batches)

    def test_what_came_before_does_not_matter(self, worker: Worker, packed: list[bytes]) -> None:
        """A row depends on its sample alone: not on its place in the batch, nor on earlier batches."""
        together = tools.run_worker(worker, packed)
        backwards = range(len(packed) - 1, -1, -1)
        for position in backwards:
            alone = tools.run_worker(worker, [packed[position]], [position])
            _assert_same(alone, {key: values[position : position + 1] for key, values in together.items()})
        turned = tools.run_worker(worker, packed[::-1], list(backwards))
        _assert_same({key: values[::-1] for key, values in turned.items()}, together)

    def test_a_sample_that_fails_costs_no_other(self, worker: Worker, packed: list[bytes]) -> None:
        """Its row is given up, with ``None`` in lists; or the whole request is, by an error that says which it was."""
        rejected: dict[int, SampleError] = {}
        together = tools.run_worker(worker, packed)
        batch: dict[str, Any] = {}
        try:
            batch = tools.run_worker(worker, [packed[0], b"no sample", *packed[2:]], rejected=rejected)
        except SampleError as error:
            rejected[1] = error
        assert {row: error.index for row, error in rejected.items()} == {1: 1}
        assert all(values[1] is None for values in batch.values() if isinstance(values, list))
        rows = [0, *range(2, len(packed))]
        first, second = ({key: [one[key][row] for row in rows] for key in batch} for one in (batch, together))
        _assert_same(first, second)

    def test_samples_are_not_touched(self, worker: Worker, contents: list[Any]) -> None:
        """The mapping that it is handed belongs to the dataset."""
        before = [wire.pack_sample(sample) for sample in contents]
        tools.run_worker(worker, contents)
        assert [wire.pack_sample(sample) for sample in contents] == before

    def test_packed_samples_are_the_same(self, worker: Worker, contents: list[Any], packed: list[bytes]) -> None:
        """It makes the same of a mapping and of the packed message of it."""
        _assert_same(tools.run_worker(worker, packed), tools.run_worker(worker, contents))

    def test_it_works_in_a_process_of_its_own(self, component: Worker, registry: Registry, packed: list[bytes]) -> None:
        """A child process makes the same batch as this one."""
        batches: list[dict[str, Any]] = []
        for nworkers in (0, 1):
            with TurboDataLoader(packed, len(packed), component, nworkers, registry=registry) as loader:
                batches.extend(mini_batch for _, mini_batches in loader for mini_batch in mini_batches)
        _assert_same(*batches)


def _assert_same(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    assert list(first) == list(second)
    for key, values in first.items():
        if isinstance(values, np.ndarray):
            np.testing.assert_array_equal(values, second[key], key)
        else:
            np.testing.assert_equal(list(values), list(second[key]), key)
