from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from trainer_parts import Dropping, batch, same, trainer

from leaven.errors import LeavenError, StateError
from leaven_plugins.hooks.early_stop.hook import EarlyStop
from leaven_plugins.policies.plateau.policy import Plateau
from leaven_plugins.policies.poly.policy import Poly
from leaven_plugins.policies.step.policy import Step
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.snapshots.shelf import Shelf

DATA = [batch(number) for number in range(7)]
EVERYTHING = {
    "train_policy": Poly(power=0.9),
    "average": {"kind": "ema", "decay": 0.9},
    "accumulate": 2,
    "clip_norm": 0.5,
    "schedules": {"weight_decay": {"updates": [[3, 0.5], [9, 0.0]]}},
}


def a_run(tmp_path, name, **options):
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)
    chosen = {**EVERYTHING, "val_iter": DATA[:2], "val_policy": Plateau(patience=1), "hooks": [EarlyStop()], **options}
    return trainer(DATA, outdir=tmp_path / name, **chosen)


def assert_same_end(one, other):
    mine, theirs = (load_snapshot(each.state["snapshot"]).parts for each in (one, other))
    assert mine.keys() == theirs.keys()
    for part in mine:
        same(mine[part], theirs[part])


def going_on(one, snapshot, epochs):
    torch.manual_seed(99)  # which the snapshot's own state replaces
    found = one.restore(load_snapshot(snapshot))
    assert not found.ignored
    return one.train(epochs, start_epoch=one.state["epoch"])


def test_two_epochs_and_two_resumed_are_four(tmp_path):
    policy = {"train_policy": Step(factor=0.5, every=1)}  # which does not ask how many epochs there will be
    whole = a_run(tmp_path, "whole", **policy)
    expected = whole.train(4)
    first = a_run(tmp_path, "first", **policy)
    first.train(2)
    again = a_run(tmp_path, "again", **policy)
    state = going_on(again, first.state["snapshot"], 4)
    assert_same_end(whole, again)
    for phase in ("train", "val"):
        assert state[f"{phase}_metric_values"] == expected[f"{phase}_metric_values"][2:]


@pytest.mark.parametrize("options", [{}, {"accumulate": 1}, {"average": {"kind": "swa"}, "precision": "bf16"}])
def test_a_run_goes_on_amid_an_epoch(tmp_path, options):
    whole = a_run(tmp_path, "whole", snapshot_steps=3, **options)
    expected = whole.train(3)
    within = sorted(path for path in (tmp_path / "whole" / "snapshots").iterdir() if "step" in path.name)
    assert len(within) >= 2
    for number, path in enumerate(within):
        again = a_run(tmp_path, f"again{number}", **options)
        state = going_on(again, path, 3)
        assert_same_end(whole, again)
        done = 3 - len(state["train_metric_values"])
        assert state["train_metric_values"] == expected["train_metric_values"][done:], path.name


def test_stopped_at_any_step_it_goes_on_as_if_it_had_not(tmp_path):
    whole = a_run(tmp_path, "whole", accumulate=1)
    expected = whole.train(2)
    first = a_run(tmp_path, "asked", accumulate=1)
    first.add_hook("train_step", lambda state, samples: first.stop("asked") if state["step"] == 10 else None)
    stopped = first.train(2)
    assert (stopped["stopped"], stopped["step"], Path(stopped["snapshot"]).name) == (
        *("asked", 10),
        "epoch_0002_step_00000010",
    )
    assert len(stopped["val_metric_values"]) == 1  # what was asked to stop does not validate first
    again = a_run(tmp_path, "again", accumulate=1)
    state = going_on(again, stopped["snapshot"], 2)
    assert_same_end(whole, again)
    assert state["train_metric_values"] == expected["train_metric_values"][1:]


@pytest.mark.parametrize("steps", [3, 7, 10])
def test_a_run_of_so_many_steps(tmp_path, steps):
    state = a_run(tmp_path, "limited", accumulate=1, max_steps=steps).train(2)
    assert (state["step"], state["stopped"]) == (steps, "max_steps")
    assert len(state["val_metric_values"]) == -(-steps // 7)  # nobody waits: it validates at the end
    name = "epoch_0001" if steps == 7 else f"epoch_000{1 + steps // 7}_step_{steps:08}"
    assert Path(state["snapshot"]).name == name


def test_hooks_and_policies_go_on_too(tmp_path):
    one = a_run(tmp_path, "one", hooks=[EarlyStop(patience=5)])
    one.train(3)
    parts = load_snapshot(one.state["snapshot"]).parts
    assert set(parts["hooks"]["0"]) == {"best", "waited"}
    assert set(parts["policies"]) == {"val_policy"}


def test_data_with_a_state_goes_on_by_it(tmp_path):
    class Data:
        place = 0

        def __iter__(self):
            while self.place < len(DATA):
                self.place += 1
                yield DATA[self.place - 1]
            self.place = 0

        def state_dict(self):
            return {"place": self.place}

        def load_state_dict(self, state):
            self.place = state["place"]

    one = trainer(Data(), outdir=tmp_path, snapshot_steps=3)
    torch.manual_seed(0)
    one.train(1)
    again = trainer(Data(), outdir=tmp_path / "again")
    found = again.restore(load_snapshot(tmp_path / "snapshots" / "epoch_0001_step_00000003"))
    assert "data" in found.done
    state = again.train(1, start_epoch=0)
    assert state["iteration"] == 7
    same(state["network"].state_dict(), one.state["network"].state_dict())


def test_data_that_shuffles_by_torchs_generator_goes_on(tmp_path):
    def shuffled(name, **options):
        data = torch.utils.data.DataLoader(
            [{key: value[0] for key, value in batch(number, 1).items()} for number in range(14)], 2, shuffle=True
        )
        torch.manual_seed(5)
        return trainer(data, outdir=tmp_path / name, **options)

    whole = shuffled("whole", snapshot_steps=3)
    expected = whole.train(2)
    again = shuffled("again", snapshot_steps=4)
    state = going_on(again, tmp_path / "whole" / "snapshots" / "epoch_0002_step_00000009", 2)
    assert state["train_metric_values"] == expected["train_metric_values"][1:]
    assert_same_end(whole, again)
    once_more = shuffled("once_more")  # from a snapshot that a resumed run has made within the same epoch
    going_on(once_more, tmp_path / "again" / "snapshots" / "epoch_0002_step_00000012", 2)
    assert_same_end(whole, once_more)


def test_a_place_that_makes_no_sense_begins_the_epoch_anew(tmp_path):
    class Data(list):
        def state_dict(self):
            return {"length": len(self)}

        def load_state_dict(self, state):
            if state["length"] != len(self):
                raise StateError("other data")

    trainer(Data(DATA), outdir=tmp_path, snapshot_steps=3).train(1)
    snapshot = load_snapshot(tmp_path / "snapshots" / "epoch_0001_step_00000003")
    again = trainer(Data(DATA[:5]))
    found = again.restore(snapshot)
    assert found.ignored == {"data": "other data", "under_way": "the epoch begins anew, as its data does"}
    assert [record["samples"] for record in again.train(1)["records"]] == [20]
    other = trainer(Data(DATA), val_iter=Data(DATA[:1]), outdir=tmp_path / "other", snapshot_steps=3)
    other.train(1)
    other = load_snapshot(tmp_path / "other" / "snapshots" / "epoch_0001_step_00000003")
    again = trainer(Data(DATA), val_iter=Data(DATA[:2]))
    assert again.restore(other).ignored == {"val_data": "other data"}  # which says nothing of the training data


def test_a_second_call_does_not_go_on_amid_an_epoch_unless_restored():
    one = trainer(DATA)
    one.add_hook("train_step", lambda state, samples: one.stop("asked") if state["step"] == 3 else None)
    one.train(2)
    state = one.train(2, start_epoch=1)
    assert state["records"][-1]["samples"] == 28
    assert (state["iteration"], state["step"], state["stopped"]) == (10, 10, None)


def test_a_run_that_is_at_its_end_makes_no_step(tmp_path):
    one = trainer(DATA, outdir=tmp_path, max_steps=3)
    one.train(2)
    again = trainer(DATA, max_steps=3)
    again.restore(load_snapshot(one.state["snapshot"]))
    state = again.train(2)
    assert (state["step"], state["stopped"], state["records"]) == (3, "max_steps", [])
    more = trainer(DATA, max_steps=9)
    more.restore(load_snapshot(one.state["snapshot"]))
    assert more.train(2)["step"] == 9


def test_steps_to_a_snapshot_may_end_with_the_epoch(tmp_path):
    trainer(DATA, outdir=tmp_path, snapshot_interval=0, snapshot_steps=7).train(2)
    assert sorted(path.name for path in (tmp_path / "snapshots").iterdir()) == ["epoch_0001", "epoch_0002"]


def test_a_hook_may_make_a_snapshot(tmp_path):
    whole = a_run(tmp_path, "whole")
    whole.add_hook("train_step", lambda state, samples: whole.snapshot() if state["step"] == 6 else None)
    whole.train(3)
    again = a_run(tmp_path, "again")
    going_on(again, tmp_path / "whole" / "snapshots" / "epoch_0002_step_00000011", 3)
    assert_same_end(whole, again)
    again.add_hook("train_backward", lambda state, **more: again.snapshot())
    with pytest.raises(LeavenError, match="no snapshot within a step"):
        again.train(4, start_epoch=3)


def test_another_kind_of_optimizer_is_refused(tmp_path):
    one = trainer(DATA, outdir=tmp_path)
    one.train(1)
    network = Dropping()
    other = trainer(DATA, network, torch.optim.RMSprop(network.parameters()))
    with pytest.raises(LeavenError, match=r"optimizer does not fit this experiment: .* 'alpha'"):
        other.restore(load_snapshot(one.state["snapshot"]))


def test_what_does_not_fit_is_named(tmp_path):
    one = trainer(DATA, outdir=tmp_path, average={"kind": "ema"})
    one.train(1)
    snapshot = load_snapshot(one.state["snapshot"])
    assert trainer(DATA).restore(snapshot).ignored == {"average": "this run has nothing of it"}
    with pytest.raises(LeavenError, match="the snapshot's model does not fit this experiment"):
        trainer(DATA, torch.nn.Linear(2, 2)).restore(snapshot)


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
import torch
from test_resuming import a_run
from pathlib import Path
one = a_run(Path({folder!r}), "killed", snapshot_steps=2)
def kill(state, samples):
    if state["step"] == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
one.add_hook("train_step", kill)
one.train(3)
"""


def test_a_killed_run_goes_on_from_its_last_snapshot(tmp_path):
    whole = a_run(tmp_path, "whole")
    expected = whole.train(3)
    here = Path(__file__).parent
    parts = [str(here), str(here.parents[1] / "data" / "trainer_parts")]
    code = KILLED.format(path=parts, folder=str(tmp_path), step=7)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    last = Shelf(tmp_path / "killed" / "snapshots").last()
    assert last.name == "epoch_0002_step_00000011"
    again = a_run(tmp_path, "again")
    state = going_on(again, last, 3)
    assert_same_end(whole, again)
    assert state["train_metric_values"] == expected["train_metric_values"][1:]


# ---- by the command line, with a loader and its workers


def leaven(*arguments, **options):
    command = [sys.executable, "-W", "error", "-m", "leaven", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


CONFIG = """
seed = 5
[data.train]
use = "digits"
split = "val"
[data.val]
use = "digits"
split = "val"
[loader]
batch_size = 64
nworkers = 0
shuffle = true
[worker]
use = "classification"
image = { shape = [1, 12, 12], dtype = "uint8" }
classes = 10
[worker.image_rng]
use = "mixture"
prob = 0.5
noise_range = [0.1, 0.2]
[model]
use = "tiny_cnn"
classes = 10
width = 4
[loss]
use = "cross_entropy"
[[metric]]
use = "accuracy"
[optimizer]
use = "adamw"
[policy]
use = "cosine"
[trainer]
average = { kind = "ema", decay = 0.9 }
snapshot_steps = 2
[train]
epochs = 3
threads = 1
"""


@pytest.mark.slow
def test_a_killed_run_with_other_workers_is_the_same(tmp_path):
    (tmp_path / "c.toml").write_text(CONFIG)
    whole = leaven("train", "c.toml", "--out", "whole", "--json", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    with subprocess.Popen(
        [sys.executable, "-m", "leaven", "train", "c.toml", "--out", "killed", "--set", "loader.nworkers=2"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    ) as process:
        folder = tmp_path / "killed" / "snapshots"
        while process.poll() is None and not list(folder.glob("epoch_0002_step_*[0-9]")):
            os.sched_yield()
        process.kill()
    rest = leaven(
        *("train", "c.toml", "--resume", "last", "--out", "killed", "--json", "--set", "loader.nworkers=1"),
        cwd=tmp_path,
    )
    assert rest.returncode == 0, rest.stderr
    assert "overridden  loader.nworkers: 2 -> 1" in rest.stdout
    one, other = (json.loads(each.stdout.splitlines()[-1]) for each in (whole, rest))
    assert other["losses"] == one["losses"][3 - len(other["losses"]) :]
    assert other["values"] == one["values"]
    mine, theirs = (load_snapshot(tmp_path / each["snapshot"]).parts for each in (one, other))
    same(mine["model"], theirs["model"])
    same(mine["average"], theirs["average"])


def test_the_network_of_these_tests_depends_on_chance():
    network = Dropping()
    torch.manual_seed(1)
    one, other = (network(DATA[0])["output"] for _ in range(2))
    assert not torch.equal(one, other)
