from __future__ import annotations

import pytest
import torch
import torch.distributed as dist

from leaven.errors import ParameterError
from leaven_plugins.distributed.failures import DistributedError, PeerLost
from leaven_plugins.distributed.world import World, current, joined


def test_alone_everything_works():
    with joined() as world:
        assert world == current() == World()
        assert not dist.is_initialized()
        assert world.gather({"a": (1, None)}) == [{"a": [1, None]}]
        assert world.broadcast("x") == "x"
        assert world.any(True) is True
        assert world.all_equal([1])
        world.barrier()


def test_alone_reduced_values_are_like_those_of_several_ranks():
    value = torch.tensor([1.0, 2.0], requires_grad=True)
    total = World().sum({"a": value, "b": (torch.tensor([True]), 3, 0.5)})
    assert not total["a"].requires_grad
    assert total["a"].data_ptr() != value.data_ptr()
    assert total["b"] == (torch.tensor([1]), 3, 0.5)
    mean = World().mean({"b": [torch.tensor([4], dtype=torch.uint8), 3]})
    assert mean["b"][0].dtype == torch.float32
    assert mean["b"][1] == 3.0
    with pytest.raises(ParameterError, match="a str cannot be reduced"):
        World().sum(["x"])


def test_errors_of_lost_ranks_are_explained_and_others_left_alone():
    with pytest.raises(PeerLost, match="rank 0 of 1: training together: another rank has gone") as caught, joined():
        raise RuntimeError("[pair.cc:553] Connection closed by peer [127.0.0.1]:1")
    assert caught.value.exit_code == 3
    with pytest.raises(RuntimeError, match=r"^shapes$"), joined():
        raise RuntimeError("shapes")


def test_environment_is_believed_before_the_group_is_joined(monkeypatch):
    for name, value in {"RANK": "2", "WORLD_SIZE": "3", "MASTER_ADDR": "x", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert current() == World(2, 3, 2)
    with pytest.raises(DistributedError, match="rank 2 of 3: sum: the ranks are not connected"):
        current().sum(1)


def test_processes_know_who_they_are(two):
    (first, second) = two["who"]
    assert [first[:2], second[:2]] == [[0, 0], [1, 1]]
    assert first[2] != second[2]
    assert two["world"] == [2, "gloo", "cpu", True]
    assert two["left"] is False
    assert two["outside"].startswith("DistributedError: rank 0 of 2: gather: the ranks are not connected")


def test_plain_data_and_tensors_go_around(two):
    assert two["gather"] == [[0, "torch.bfloat16", [0.0, 0.0], 0], [1, "torch.bfloat16", [1.0, 1.0], 3000]]
    assert two["empty"] == [[], []]
    assert two["broadcast"] == [1, 1]
    assert two["any"] == [True, False]
    assert two["equal"] == [True, False]


def test_nested_values_are_reduced(two):
    assert two["sum"] == {
        "a": ["torch.float32", [[3.0] * 3] * 2],
        "b": [["torch.int64", [2, 1]], 6, 0.5],
    }
    assert two["mean"] == {
        "a": ["torch.float32", [[1.5] * 3] * 2],
        "b": [["torch.float32", [1.0, 0.5]], 3.0, 0.25],
    }
    assert two["half_mean"] == ["torch.float16", [40000.0]], "80001 is none that a half can hold"


def test_what_ranks_do_wrong_is_an_error_and_no_end(two):
    assert two["mismatch"].endswith("the ranks passed different values: rank 0: float32[2]; rank 1: float32[3]")
    assert two["source"] == "ParameterError: source=2: with 2 ranks, these are 0 to 1"
    assert "cannot pack a" in two["unpackable"]
    assert two["after"] == 2
