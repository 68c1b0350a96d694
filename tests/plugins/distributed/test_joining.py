from __future__ import annotations

import pytest

from leaven.errors import ParameterError
from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.joining import join, place

FULL = {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WORLD_SIZE": "1"}, None),
        (FULL, (1, 4, 1)),
        ({**FULL, "LOCAL_RANK": "0"}, (1, 4, 0)),
        ({**FULL, "RANK": "0", "WORLD_SIZE": "1"}, (0, 1, 0)),
    ],
)
def test_environment_says_which_process_this_is(environment, expected):
    assert place(environment) == expected


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"WORLD_SIZE": "2"}, "has WORLD_SIZE, but not MASTER_ADDR, MASTER_PORT, RANK"),
        ({**FULL, "RANK": "4"}, "RANK=4: with WORLD_SIZE=4, ranks are 0 to 3"),
        ({**FULL, "WORLD_SIZE": "many"}, "WORLD_SIZE='many' in the environment"),
        ({**FULL, "LOCAL_RANK": "x"}, "LOCAL_RANK='x'"),
    ],
)
def test_wrong_environment_is_explained(environment, message):
    with pytest.raises(DistributedError, match=message):
        place(environment)


def test_join_refuses_what_it_cannot_do():
    with pytest.raises(ParameterError, match="device='mps'"):
        join("mps", 10)
    for timeout in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="at least 1"):
            join("cpu", timeout)


@pytest.mark.slow
def test_others_that_never_come_are_an_error(monkeypatch):
    for name, value in {**FULL, "GLOO_SOCKET_IFNAME": "lo"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DistributedError, match=r"rank 1 of 4: cannot meet the other ranks at 127\.0\.0\.1:1 "):
        join("cpu", 1)


def test_alone_there_is_nothing_to_join():
    assert join("cpu", 10) is False
