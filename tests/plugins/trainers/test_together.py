from __future__ import annotations

import time

import pytest
import together
import torch
from trainer_parts import same

from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.launch import launch
from leaven_plugins.snapshots.files import load_snapshot

pytestmark = pytest.mark.timeout(300)


def approximately(found, expected):
    for phase in ("train", "val"):
        assert len(found[phase]) == len(expected[phase])
        for mine, theirs in zip(found[phase], expected[phase], strict=True):
            assert mine == pytest.approx(theirs, rel=1e-5)  # sums of float32 in another order
    assert found["samples"] == expected["samples"]


@pytest.mark.parametrize(
    "options",
    [
        {"average": {"decay": 0.5}},
        pytest.param({"accumulate": 2}, marks=pytest.mark.slow),
        pytest.param({"parallel": "fsdp"}, marks=pytest.mark.slow),
    ],
)
def test_two_processes_are_one_with_the_same_global_batch(tmp_path, options):
    found = launch(together.evenly, 2, str(tmp_path / "two"), options)
    data = [together.whole(number) for number in range(5)]
    options = {name: value for name, value in options.items() if name != "parallel"}
    _, state = together.run(data, tmp_path / "one", **options)
    expected = together.told(state)
    approximately(found, expected)
    assert found["step"] == expected["step"]
    one, two = (load_snapshot(tmp_path / name / "snapshots" / "epoch_0002").parts for name in ("one", "two"))
    torch.testing.assert_close(two["model"], one["model"], rtol=1e-4, atol=1e-5)
    assert len(two["random"]["ranks"]) == 2

    # and alone again, from what the two have left
    again, _ = together.run(data, None, epochs=1, **options)
    again.restore(load_snapshot(tmp_path / "two" / "snapshots" / "epoch_0002"))
    same(dict(again.state["network"].state_dict()), two["model"])
    whole, _ = together.run(data, None, epochs=3, **options)
    again.train(3, start_epoch=2)
    torch.testing.assert_close(
        again.state["network"].state_dict(), whole.state["network"].state_dict(), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize(
    ("shares", "options"),
    [
        ([[4, 4], [6, 2], [8, 0], [5, 3]], {}),
        pytest.param([[8, 0], [4, 4], [8, 0], [8, 0]], {}, marks=pytest.mark.slow),
        ([[4, 4], [6, 2], [8, 0], [8, 0], [8, 0]], {"accumulate": 2}),  # of a step, a rank has nothing at all
    ],
)
def test_ranks_with_more_or_less_data(shares, options):
    """A rank whose data ends early takes part without rows: its steps come after one another all the same."""
    found = launch(together.unevenly, 2, shares, options)
    mine = [[share[rank] for share in shares if share[rank]] for rank in range(2)]
    steps = max(map(len, mine))
    assert found["step"] == 2 * -(-steps // options.get("accumulate", 1))
    assert found["samples"] == [sum(map(sum, shares))] * 4
    data = []
    for step in range(steps):
        parts = []
        for rank in range(2):
            numbers = [number for number, share in enumerate(shares) if share[rank]]
            if step < len(numbers):
                number = numbers[step]
                parts.append(together.part(together.whole(number), rank, 2, shares[number]))
        data.append({key: torch.cat([part[key] for part in parts]) for key in parts[0]})
    _, state = together.run(data, **options)
    approximately(found, together.told(state))


@pytest.mark.parametrize("options", [{"parallel": "fsdp", "accumulate": 2}])
@pytest.mark.slow
def test_ranks_with_more_or_fewer_mini_batches(options):
    found = launch(together.in_parts, 2, [[3, 1], [1, 3], [4, 0]], options)
    data = [together.whole(number) for number in range(3)]
    _, state = together.run(data, accumulate=2)
    approximately(found, together.told(state))


@pytest.mark.slow
def test_each_rank_goes_on_with_what_it_had_added_up(tmp_path):
    expected, found = launch(together.amid_an_epoch, 2, str(tmp_path))
    assert found == expected
    alone, _ = together.run([together.whole(number) for number in range(3)], None, epochs=0)
    alone.restore(load_snapshot(tmp_path / "snapshots" / "epoch_0002_step_00000004"))
    values = together.told(alone.train(2, start_epoch=1))["train"]
    assert values == [pytest.approx(each, rel=1e-5) for each in expected]


def test_rows_that_hold_no_sample_weigh_nothing_on_any_rank():
    found = launch(together.masked, 2)
    _, state = together.run([together.whole(0), together.whole(1)])
    approximately(found, together.told(state))


def test_all_ranks_stop_at_the_same_step():
    found = launch(together.stopped, 2)
    assert len(set(found["steps"])) == 1
    assert 3 <= found["steps"][0] <= 4
    assert "rank 1 has had enough" in found["reasons"]


def test_a_killed_rank_ends_the_run_with_an_error():
    began = time.monotonic()
    with pytest.raises(DistributedError, match=r"rank 1.*SIGKILL"):
        launch(together.killed, 2)
    assert time.monotonic() - began < 60  # of which most is the start on a busy machine
