from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from torch import nn

from leaven.errors import ParameterError
from leaven_plugins import distributed
from leaven_plugins.distributed.world import World


def test_alone_nothing_changes():
    assert distributed.init() == World()
    assert not dist.is_initialized()
    models, data = [nn.Linear(1, 1), {"a": nn.ReLU()}], [1, 2]
    synced, share = distributed.sync(models, data)
    assert (synced[0], synced[1]["a"], share) == (models[0], models[1]["a"], data)
    assert distributed.reduce((torch.tensor(2.0), 3), aggregate=True) == (torch.tensor(2.0), 3)
    with pytest.raises(ParameterError, match="a str cannot be trained together"):
        distributed.sync(["x"], data)


def test_two_processes_share_data_and_gradients(two):
    for rank, (types, share, again, loader, mean, total, refused) in enumerate(two["scripts"]):
        assert types == ["DistributedDataParallel"] * 2
        assert share == again == list(range(rank, 5, 2))
        assert loader == [0, 1, 2, 3], "what knows its rank is not shared out again"
        assert mean == [["torch.float32", [1.5]]]
        assert total == [["torch.float32", [3.0]], 4]
        assert refused == "ParameterError: a int cannot be trained together: expected modules"


def test_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'reduction'"):
        distributed.reduction
