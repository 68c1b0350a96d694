"""What datadings' reading orders promise, of the views and samplers that are here in their place.

The golden case orders/ holds draws of Python's own generator: the properties count.
"""

from __future__ import annotations

import numpy as np
import pytest

from leaven import Registry
from leaven.registry.opening import open_dataset
from leaven_plugins.datasets.msgpack import MsgpackDataset

COUNT = 53


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def path(tmp_path):
    MsgpackDataset.write(tmp_path / "order.msgpack", ({"key": str(n), "v": n} for n in range(COUNT)))
    return tmp_path / "order.msgpack"


@pytest.fixture
def keys(path, registry):
    def keys(*views):
        dataset = open_dataset(path, registry, views=views)
        return [int(dataset.key(n).partition("#")[0]) for n in range(len(dataset))]

    return keys


def test_a_range_is_the_samples_between_two_positions(keys):
    assert keys({"use": "subset", "start": 10, "stop": 20}) == list(range(10, 20))
    assert keys("percent(0, 50)") == list(range(COUNT // 2))


def test_a_repeater_has_all_samples_so_many_times(path, registry):
    dataset = open_dataset(path, registry, views=["repeat(2)"])
    assert len(dataset) == 2 * COUNT
    first = [dataset.sample(n) for n in range(COUNT)]
    assert [dataset.sample(n) for n in range(COUNT, 2 * COUNT)] == first


@pytest.mark.parametrize("seed", [0, 1, 123])
@pytest.mark.parametrize("spec", ["sampler:shuffle", {"use": "sampler:blocks", "size": 4, "window": 4}], ids=str)
def test_a_shuffler_has_each_sample_once_in_an_order_of_its_own_each_pass(path, registry, spec, seed):
    dataset = open_dataset(path, registry)
    ranks = np.arange(COUNT)
    passes = registry.create(spec, kind="sampler").over(dataset, seed=seed)
    first, second = (passes.indices(epoch, ranks).tolist() for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(COUNT))
    assert first != second
    assert first != list(range(COUNT))
    again = registry.create(spec, kind="sampler").over(dataset, seed=seed)
    assert again.indices(0, ranks).tolist() == first
    other = registry.create(spec, kind="sampler").over(dataset, seed=seed + 1)
    assert other.indices(0, ranks).tolist() != first


@pytest.mark.parametrize("spec", ["sampler:shuffle", {"use": "sampler:blocks", "size": 4, "window": 4}], ids=str)
def test_an_order_can_be_gone_on_with_at_any_sample(path, registry, spec):
    passes = registry.create(spec, kind="sampler").over(open_dataset(path, registry), seed=1)
    assert passes.indices(1, np.arange(7, 12)).tolist() == passes.indices(1, np.arange(COUNT)).tolist()[7:12]


def test_blocks_have_neighbours_together(path, registry):
    sampler = registry.create({"use": "sampler:blocks", "size": 4, "window": 1}, kind="sampler")
    order = sampler.over(open_dataset(path, registry), seed=1).indices(0, np.arange(COUNT - COUNT % 4))
    for block in order.reshape(-1, 4):
        assert len({int(n) for n in (block - block[0]) % COUNT} & {0, 1, 2, 3, 50, 51, 52}) == 4


def test_a_dataset_is_found_by_position_and_by_key(path):
    dataset = MsgpackDataset(path)
    assert dataset.find("40") == 40
    assert [dataset.key(n) for n in range(5, 9)] == ["5", "6", "7", "8"]
    assert "53" not in dataset
