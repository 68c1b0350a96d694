from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from leaven.errors import ParameterError
from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.launch import launch
from leaven_plugins.distributed.world import World
from leaven_plugins.distributed.wrapping import full_state, load_full_state, wrapped


def with_all_rows(parts, make, count):
    """Return the weights of one process that has the rows of both."""
    net = parts.network()
    parts.steps(net, make(net), [parts.rows(0), parts.rows(1)], count)
    return net.state_dict()


def adamw(net):
    return torch.optim.AdamW(net.parameters(), lr=0.01)


def assert_like(mine, expected):
    torch.testing.assert_close(torch.tensor(mine), expected, rtol=1e-4, atol=1e-5, check_dtype=False)


@pytest.fixture(scope="module")
def modes(parts):
    return launch(parts.modes, 2)


def test_two_processes_train_like_one_with_all_rows(two, parts):
    name, first, second = two["ddp"]
    assert name == "DistributedDataParallel"
    assert first == second
    for mine, expected in zip(first, with_all_rows(parts, parts.Descent, 3).values(), strict=True):
        assert_like(mine, expected)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["ddp", "fsdp"])
def test_both_modes_train_like_one_with_all_rows(modes, parts, mode):
    first, second = modes[mode]
    assert first["type"] == {"ddp": "DistributedDataParallel", "fsdp": "FSDPDictNet"}[mode]
    assert second["ended"] == {}, "rank 0 writes"
    reference = with_all_rows(parts, adamw, 6)
    assert first["ended"].keys() == reference.keys()
    for name, expected in reference.items():
        assert_like(first["ended"][name], expected)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["ddp", "fsdp"])
def test_training_goes_on_from_a_snapshot(modes, mode):
    first, second = modes[mode]
    assert first["again"] == first["ended"]
    assert first["rates"] == second["rates"] == [[0.01, 0.01]]


def test_what_cannot_be_wrapped(two):
    assert two["frozen"] == "DictNet"
    assert "sync_batchnorm=True with a network on cpu" in two["sync_batchnorm"]


def test_alone_a_module_stays_as_it_is():
    net = nn.Linear(1, 1)
    assert wrapped(net, World(), mode="fsdp", sync_batchnorm=True) is net


def test_alone_training_goes_on_from_a_snapshot(parts):
    def trained(count):
        net = parts.network()
        optimizer = adamw(net)
        parts.steps(net, optimizer, [parts.rows(0)], count)
        return net, optimizer

    state = copy.deepcopy(full_state(*trained(2)))
    other = parts.network()
    optimizer = torch.optim.AdamW(other.parameters(), lr=0.5)
    load_full_state(state, other, optimizer, World())
    parts.steps(other, optimizer, [parts.rows(0)], 3)
    expected, _ = trained(5)
    for name, value in expected.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_states_of_plain_descent_and_with_gradients_load(parts, momentum):
    net = parts.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.25, momentum=momentum)
    parts.steps(net, optimizer, [parts.rows(0)], 2)
    other = parts.network()
    others = torch.optim.SGD(other.parameters(), lr=0.5, momentum=momentum)
    parts.steps(other, others, [parts.rows(1)], 1)
    load_full_state(copy.deepcopy(full_state(net, optimizer)), other, others, World())
    assert others.param_groups[0]["lr"] == 0.25
    for model, its_optimizer in ((net, optimizer), (other, others)):
        parts.steps(model, its_optimizer, [parts.rows(0)], 2)
    assert all(torch.equal(*pair) for pair in zip(net.parameters(), other.parameters(), strict=True))


def test_state_of_another_optimizer_is_refused():
    net = nn.Linear(2, 1)
    state = full_state(net, torch.optim.SGD(net.parameters()))
    two_groups = torch.optim.SGD([{"params": [net.weight]}, {"params": [net.bias]}])
    with pytest.raises(DistributedError, match="an optimizer with 1 groups of parameters, this one has 2"):
        load_full_state(state, net, two_groups, World())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "dp"}, "mode='dp': expected one of ddp, fsdp"),
        ({"mode": "fsdp", "static_graph": True}, "options of mode='ddp'"),
        ({"find_unused": True, "static_graph": True}, "exclude each other"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        wrapped(nn.Linear(1, 1), World(), **options)


def test_several_processes_have_to_be_connected():
    with pytest.raises(DistributedError, match="not connected"):
        wrapped(nn.Linear(1, 1), World(0, 2, 0))
