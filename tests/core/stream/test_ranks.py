from __future__ import annotations

import pytest

from leaven.errors import ParameterError
from leaven.stream.ranks import rank_of

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "localhost"}


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ((None, None), {}, (0, 1)),
        ((None, None), TORCHRUN, (1, 4)),
        ((None, None), {**TORCHRUN, "MASTER_ADDR": ""}, (0, 1)),
        ((None, None), {"RANK": "x", "WORLD_SIZE": "4"}, (0, 1)),  # somebody else's variables
        ((2, 3), TORCHRUN, (2, 3)),
        ((2, None), TORCHRUN, (2, 4)),
        ((None, 4), TORCHRUN, (1, 4)),
        ((None, 1), TORCHRUN, (0, 1)),  # each process everything
        ((None, 2), {}, (0, 2)),
        ((0, 1), TORCHRUN, (0, 1)),
    ],
)
def test_given_numbers_win_over_the_environment(given, environment, expected):
    assert rank_of(*given, environment) == expected


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"RANK": "one"}, "RANK='one' in the environment: expected a whole number from 0 to 3"),
        ({"RANK": "4"}, "RANK='4' in the environment: expected a whole number from 0 to 3"),
        ({"RANK": "-1"}, "RANK='-1'"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE='0' in the environment: expected a whole number from 1$"),
        ({"WORLD_SIZE": "²"}, "WORLD_SIZE="),
    ],
)
def test_an_environment_that_cannot_be(change, text):
    with pytest.raises(ParameterError, match=text):
        rank_of(None, None, {**TORCHRUN, **change})


def test_a_world_of_another_size_needs_a_rank():
    with pytest.raises(ParameterError, match="world_size=2 and no rank: the environment knows one among 4"):
        rank_of(None, 2, TORCHRUN)


def test_loaders_share_an_epoch_as_the_environment_says(make, monkeypatch):
    seen = []
    for rank in range(2):
        for name, value in {**TORCHRUN, "RANK": str(rank), "WORLD_SIZE": "2"}.items():
            monkeypatch.setenv(name, value)
        with make(size=8, batch_size=2) as loader:
            seen.append([value for _, (sample,) in loader for value in sample["value"][:, 0].tolist()])
    assert seen == [[0, 1, 4, 5], [2, 3, 6, 7]]
