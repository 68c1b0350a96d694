from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from leaven.errors import ParameterError
from leaven_plugins import snapshots
from leaven_plugins.snapshots import (
    Snapshot,
    SnapshotError,
    WeightsError,
    random_state,
    resume,
    save,
    save_snapshot,
    set_random_state,
    verify_snapshot,
)


def a_network():
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 1))


def train(network, optimizer, iterations):
    for _ in range(iterations):
        rows = torch.rand(16, 4) * random.random() + float(np.random.rand())
        optimizer.zero_grad()
        network(rows).square().mean().backward()
        optimizer.step()


def test_resumed_is_as_if_it_had_never_stopped(tmp_path):
    before = random_state()
    network = a_network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    train(network, optimizer, 3)
    save(tmp_path / "three", 3, network, optimizer, random=random_state(), note=["some", 1])
    train(network, optimizer, 4)

    other = a_network()
    its_optimizer = torch.optim.AdamW(other.parameters(), lr=7.0)
    train(other, its_optimizer, 2)
    rest = resume(tmp_path, other, its_optimizer)
    set_random_state(rest.pop("random"))
    assert rest == {"iteration": 3, "note": ["some", 1]}
    train(other, its_optimizer, 4)
    torch.testing.assert_close(dict(other.state_dict()), dict(network.state_dict()), rtol=0, atol=0)
    set_random_state(before)


def test_states_of_generators_are_restored_exactly(tmp_path):
    def draw():
        return random.random(), random.gauss(0, 1), np.random.randn(), np.random.rand(), torch.rand(3).tolist()

    draw()  # a second draw of a normal distribution is kept from the first
    save(tmp_path / "s", 0, a_network(), state=random_state())
    first = draw()
    set_random_state(resume(tmp_path / "s")["state"])
    assert draw() == first
    with pytest.raises(SnapshotError, match="no state of random generators"):
        set_random_state({"torch": torch.zeros(3, dtype=torch.uint8)})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_states_of_generators_of_gpus(tmp_path):
    torch.rand(3, device="cuda")
    save(tmp_path / "s", 0, a_network(), state=random_state())
    first = torch.rand(3, device="cuda")
    set_random_state(resume(tmp_path / "s")["state"])
    assert torch.equal(torch.rand(3, device="cuda"), first)


def test_several_optimizers_by_name(tmp_path):
    network = a_network()
    both = {name: torch.optim.SGD(network.parameters(), lr=lr) for name, lr in (("net", 0.1), ("critic", 0.2))}
    save(tmp_path / "s", 1, network, both)
    critic = torch.optim.SGD(network.parameters(), lr=9.0)
    resume(tmp_path / "s", optimizer={"critic": critic})
    assert critic.param_groups[0]["lr"] == 0.2
    with pytest.raises(SnapshotError, match=r"no state for optimizers named gen; the snapshot has: critic, net"):
        resume(tmp_path / "s", optimizer={"gen": critic})
    with pytest.raises(SnapshotError, match="no state for one optimizer without a name"):
        resume(tmp_path / "s", optimizer=critic)
    assert resume(tmp_path / "s") == {"iteration": 1}, "nothing of it is needed"
    with pytest.raises(SnapshotError, match=r"the state does not fit the optimizer: .*parameter group"):
        resume(tmp_path / "s", optimizer={"net": torch.optim.SGD([network[0].weight])})


def test_scopes(tmp_path):
    one, other = a_network(), a_network()
    save(tmp_path / "s", 1, one, scope="0")
    resume(tmp_path / "s", other)  # what was saved
    assert torch.equal(one[0].weight, other[0].weight)
    assert not torch.equal(one[3].weight, other[3].weight)
    save(tmp_path / "all", 1, one)
    resume(tmp_path / "all", other, scope="3")
    assert torch.equal(one[3].weight, other[3].weight)
    with pytest.raises(WeightsError, match=r"mismatched: 3\.weight"):
        resume(tmp_path / "all", nn.Sequential(*a_network()[:3], nn.Linear(8, 5)))
    resume(tmp_path / "all", nn.Sequential(*a_network()[:3], nn.Linear(8, 5)), strict=False)


def test_the_newest_is_by_iteration_and_the_others_are_deleted(tmp_path):
    network = a_network()
    for name, iteration in (("z", 1), ("a", 30), ("b", 200), ("c", 100)):
        save(tmp_path / name, iteration, network, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
    save(tmp_path / "e", 5, network, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c", "e"], "what was just saved stays"
    save(tmp_path / "d", 300, network, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "d"]
    (tmp_path / "d" / "model.pt").write_bytes(b"")
    assert resume(tmp_path) == {"iteration": 200}
    (tmp_path / "b" / "about.json").unlink()
    with pytest.raises(SnapshotError, match="neither a snapshot nor a folder of snapshots that are whole"):
        resume(tmp_path)
    with pytest.raises(ParameterError, match="keep=0: expected at least 1"):
        save(tmp_path / "e", 1, network, keep=0)


def test_what_another_process_is_writing_is_neither_taken_nor_deleted(tmp_path):
    network = a_network()
    being_written = save(tmp_path / "s", 7, network).rename(tmp_path / "s.tmp-ffffffff-1-1-0123abcd")
    save(tmp_path / "t", 5, network, keep=1)
    save(tmp_path / "u", 8, network, keep=1)
    assert sorted(tmp_path.iterdir()) == [being_written, tmp_path / "u"]
    assert resume(tmp_path) == {"iteration": 8}


def test_snapshots_that_were_made_in_another_way(tmp_path):
    network, other = a_network(), a_network()
    save_snapshot(tmp_path / "mean", Snapshot({"model": network.state_dict()}, {}))
    assert resume(tmp_path / "mean", other) == {"iteration": 0}
    assert torch.equal(network[0].weight, other[0].weight)
    save_snapshot(tmp_path / "rest", Snapshot({"optimizer": {}}, {}))
    with pytest.raises(SnapshotError, match="no part 'model'; the snapshot has: optimizer"):
        resume(tmp_path / "rest", other)


def test_only_the_first_of_several_processes_saves(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    for rank in (1, 0):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        assert save(tmp_path / "s", 1, a_network()) == tmp_path / "s"
        assert (tmp_path / "s").exists() == (rank == 0)
    verify_snapshot(tmp_path / "s")


def test_the_package_hands_out_what_it_names_and_imports_nothing_before():
    code = "import sys, leaven_plugins.snapshots; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    for name in (name for names in snapshots._HOMES.values() for name in names):
        assert getattr(snapshots, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        snapshots.nothing
