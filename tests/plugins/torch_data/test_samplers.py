"""Samplers in torch's own DataLoader."""

from __future__ import annotations

import numpy as np
import pytest

from leaven import ParameterError, create
from leaven.stream.order import permuted
from leaven_plugins.torch_data.samplers import as_torch_sampler

torch_data = pytest.importorskip("torch.utils.data")


def epoch(loader):
    return [number for batch in loader for number in batch.tolist()]


def test_each_epoch_is_the_next_pass():
    sampler = as_torch_sampler("shuffle", range(10), seed=4)
    loader = torch_data.DataLoader(range(10), 3, sampler=sampler)
    passes = [permuted(np.arange(10), 10, 4, number).tolist() for number in range(4)]
    assert [epoch(loader), epoch(loader)] == passes[:2]
    sampler.set_epoch(3)
    assert epoch(loader) == passes[3]
    assert len(loader) == 4


def test_long_passes_are_looked_up_in_parts():
    for sampler in ({"use": "blocks", "size": 100}, create("sampler:sequential")):
        assert sorted(as_torch_sampler(sampler, range(3000))) == list(range(3000))


@pytest.mark.parametrize("given", [True, False])
def test_processes_share_the_passes(given, monkeypatch):
    shares = []
    for rank in range(3):
        if not given:
            values = {"RANK": rank, "WORLD_SIZE": 3, "MASTER_ADDR": "here"}
            for name, value in values.items():
                monkeypatch.setenv(name, str(value))
        share = {"rank": rank, "world_size": 3} if given else {}
        shares.append(list(as_torch_sampler("sequential", range(10), **share)))
    assert shares == [[0, 3, 6, 9], [1, 4, 7, 0], [2, 5, 8, 1]]


def test_there_is_no_such_share():
    with pytest.raises(ParameterError, match="rank=3, world_size=3"):
        as_torch_sampler("sequential", range(10), rank=3, world_size=3)
