"""What leaven train can be told: limits, dry runs, hooks and policies in TOML, going on, signals, several processes."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest
import torch
from single_thread import one_thread  # noqa: F401
from small_runs import SMALL_RUN
from trainer_parts import same

from leaven.cli.main import run
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.snapshots.shelf import find_snapshot

PLUGIN = '''
"""A hook of the test: notes what happens, and disturbs."""

import json
import os

import torch

from leaven import Component, hookimpl
from leaven_plugins.trainers.standard.events import EVENTS


@hookimpl
def leaven_hooks():
    yield Component("witness", Witness, "notes all events")


class Witness:
    """Writes a line for each event; sends signals to this process when so many steps are done, or fails."""

    def __init__(self, path: str, at_step: int = 0, signals: list[int] = [], fail_on: str = ""):
        self.path, self.at_step, self.signals, self.fail_on = path, at_step, signals, fail_on

    def attach(self, trainer):
        for event in EVENTS:
            trainer.add_hook(event, lambda state, event=event, **arguments: self.note(event, state))

    def note(self, event, state):
        group = state["optimizer"].param_groups[0]
        record = {"event": event, "step": state["step"], "weight_decay": group["weight_decay"], "lr": group["lr"]}
        record["deterministic"] = torch.are_deterministic_algorithms_enabled()
        with open(self.path, "a") as file:
            print(json.dumps(record), file=file)
        if event == self.fail_on:
            raise RuntimeError("the witness fails")
        if event == "train_step" and state["step"] == self.at_step:
            for number in self.signals:
                os.kill(os.getpid(), number)
'''

CONFIG = f"""
seed = 3
[leaven]
plugins = ["witness.py"]
[worker]
use = "classification"
image = {{ shape = [1, 8, 8], dtype = "uint8" }}
{SMALL_RUN}threads = 1
"""

STEPS = 6  # of an epoch: digits' validation split has 360 images


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "witness.py").write_text(PLUGIN)
    (folder / "mini.toml").write_text(CONFIG)
    return "experiment/mini.toml"


def extended(config, text):
    path = Path(config)
    path.write_text(path.read_text() + text)
    return config


def witnessed(config, **options):
    """Let the witness look on; returns where it writes."""
    values = {"path": os.path.abspath("seen.jsonl"), **options}
    extended(config, '[[hook]]\nuse = "witness"\n' + "".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
    return Path("seen.jsonl")


def lines_of(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def train(capsys, config, *arguments, code=0):
    """Train; return what ``--json`` tells, and what was printed for people."""
    assert run(["train", config, "--json", *arguments]) == code, capsys.readouterr().err
    out = capsys.readouterr().out
    return json.loads(out.splitlines()[-1]), out


def records(result, phase):
    return [record for record in lines_of(result["log"]) if record.get("phase") == phase]


def settings(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


@pytest.fixture
def folder_of_its_own(tmp_path_factory, monkeypatch):
    """A folder for temporary files, in which nobody else makes any."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def nothing_is_kept(folder):
    return all(path.name.startswith("torch") for path in folder.iterdir())  # its own caches


# ---- less than a whole run


def test_a_dry_run_tries_everything_and_leaves_nothing(config, capsys, tmp_path, folder_of_its_own):
    seen = witnessed(config)
    assert run(["train", config, "--dry-run", *settings("trainer.snapshot_interval=5")]) == 0
    assert "dry run: everything works" in capsys.readouterr().out
    events = [line["event"] for line in lines_of(seen)]
    assert [events.count(name) for name in ("train_step", "val_forward", "snapshot", "run_end")] == [2, 2, 1, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["experiment", "seen.jsonl"]
    assert nothing_is_kept(folder_of_its_own)


def test_a_dry_run_that_was_interrupted_does_not_say_that_all_works(config, capsys):
    witnessed(config, at_step=1, signals=[signal.SIGINT])
    assert run(["train", config, "--dry-run"]) == 130
    assert "dry run: interrupted" in capsys.readouterr().out


@pytest.mark.parametrize("event", ["val_end", "snapshot"])
def test_a_dry_run_fails_where_the_run_would(event, config, tmp_path, folder_of_its_own):
    witnessed(config, fail_on=event)
    with pytest.raises(RuntimeError, match="the witness fails"):
        run(["train", config, "--dry-run"])
    assert not (tmp_path / "runs").exists()
    assert nothing_is_kept(folder_of_its_own)


def test_a_few_samples_are_learned_by_heart(config, capsys):
    overrides = settings("train.epochs=25", "trainer.snapshot_interval=0", "policy=noop", "optimizer.lr=0.05")
    result, _ = train(capsys, config, "--overfit", "8", *overrides)
    assert result["losses"][-1] < 0.02 < 1 < result["losses"][0]
    assert result["accuracy"] == 1
    assert {record["samples"] for record in records(result, "train") + records(result, "val")} == {8}
    last = records(result, "train")[-1]["loss"], records(result, "val")[-1]["loss"]
    assert last[1] == pytest.approx(last[0], rel=0.2)  # the same samples, one step later


@pytest.mark.parametrize(
    ("limits", "samples"),
    [(("2", "1"), (128, 64)), (("0.5", "0.5"), (192, 64)), (("100", "100"), (360, 100))],
)
def test_epochs_are_cut_to_a_number_or_a_share(limits, samples, config, capsys):
    arguments = ["--limit-train", limits[0], "--limit-val", limits[1], *settings("train.epochs=1")]
    result, _ = train(capsys, config, *arguments)
    assert (records(result, "train")[0]["samples"], records(result, "val")[0]["samples"]) == samples


def test_a_run_of_so_many_steps(config, capsys):
    Path(config).write_text(Path(config).read_text().replace("epochs = 3", "steps = 8"))
    result, out = train(capsys, config)
    assert (result["stopped"], result["epochs"]) == ("max_steps", 2)
    assert "stopped   max_steps" in out
    assert [record["samples"] for record in records(result, "train")] == [360, 128]
    assert [record["samples"] for record in records(result, "val")] == [100, 100]
    assert Path(result["snapshot"]).name == "epoch_0002_step_00000008"
    assert load_snapshot(result["snapshot"]).about["step"] == 8
    assert run(["train", config, "--resume", "last"]) == 2
    assert "train.steps: 8, and the snapshot has 8: nothing is left to do" in capsys.readouterr().err


def test_a_run_of_so_many_seconds(config, capsys):
    result, _ = train(capsys, config, *settings("train.max_seconds=1e-9"))
    assert result["stopped"] == "max_seconds"
    assert load_snapshot(result["snapshot"]).about["step"] == 1
    assert len(records(result, "val")) == 1


# ---- what TOML can say


def test_what_measures_changes_and_stops_a_run(config, capsys):
    seen = witnessed(config)
    extended(
        config,
        """
[[hook]]
use = "early_stop"
monitor = "train_accuracy"
patience = 2
min_delta = 1.0
[[hook]]
use = "history"
history_freq = 4
monitor_batch_size = 32
[val_policy]
use = "plateau"
patience = 0
factor = 0.5
threshold = 10
[schedules.weight_decay]
use = "updates"
updates = [[6, 0.5]]
[trainer]
average = { kind = "ema", decay = 0.9 }
""",
    )
    result, _ = train(capsys, config, *settings("policy=noop", "train.epochs=9"))
    assert result["stopped"] == "train_accuracy has not become better for 2 epochs"
    assert result["epochs"] == 3
    assert [record["step"] for record in records(result, "history")] == [4, 8, 12, 16]
    assert {"loss_gain", "train_accuracy", "val_accuracy"} <= records(result, "history")[0].keys()
    steps = [line for line in lines_of(seen) if line["event"] == "train_step"]
    assert [line["weight_decay"] for line in steps] == [0.01] * 6 + [0.5] * 12
    rates = [line["lr"] for line in steps]
    assert rates == pytest.approx([rate for rate in (0.01, 0.005, 0.0025) for _ in range(STEPS)])

    parts = load_snapshot(result["snapshot"]).parts
    assert parts["policies"]["val_policy"]
    assert not torch.equal(*(next(iter(weights.values())) for weights in (parts["model"], parts["average"]["weights"])))
    capsys.readouterr()
    assert run(["eval", "runs/mini", "--json"]) == 0  # with the average, as validation was
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["averaged"] is True
    assert told["values"]["loss"] == pytest.approx(result["values"]["loss"], rel=1e-6)


def test_settings_of_torch_are_put_back(config, capsys):
    seen = witnessed(config)
    threads = torch.get_num_threads()
    overrides = settings("train.deterministic=true", f"train.threads={threads + 1}", "train.epochs=1")
    train(capsys, config, *overrides)
    assert all(line["deterministic"] for line in lines_of(seen))
    assert torch.are_deterministic_algorithms_enabled() is False
    assert torch.get_num_threads() == threads


# ---- going on


def test_what_was_resumed_and_what_was_not_is_told(config, capsys):
    whole, _ = train(capsys, config, *settings("trainer.monitor=val_accuracy", "trainer.monitor_mode=min"))
    best = find_snapshot("best", "runs/mini")
    _, out = train(capsys, config, "--resume", "best", *settings("train.epochs=4"))
    done = load_snapshot(best).about["epoch"]
    assert f"resumed     {done} epochs, {done * STEPS} iterations: model, optimizer," in out
    assert "overridden  train.epochs: 3 -> 4" in out

    extension, out = train(capsys, config, "--resume", "runs/mini", *settings("train.epochs=5", "seed=4"))
    assert extension["epochs"] == 5
    assert "runs/mini is not empty: this run goes to runs/mini-3" in out
    assert "overridden  seed: 3 -> 4" in out
    assert "ignored     data: " in out
    assert len(extension["losses"]) == 2
    assert whole["losses"][-1] > extension["losses"][-1]

    assert run(["train", config, "--resume", "last", *settings("train.epochs=5")]) == 2  # that of mini-3
    assert "nothing is left to do" in capsys.readouterr().err


@pytest.mark.parametrize(("val_policy", "rate"), [("noop", 0.002), ('{ use = "exp", factor = 0.5 }', 0.001)])
def test_values_of_the_optimizer_can_be_changed_on_the_way(val_policy, rate, config, capsys):
    """What is told to be overridden is; and what validation makes of rates, it makes of the new one."""
    seen = witnessed(config)
    Path(config).write_text(Path(config).read_text().replace('[policy]\nuse = "poly"\n', ""))
    policies = [f"val_policy={val_policy}"]
    train(capsys, config, *settings("train.epochs=1", *policies))
    changes = settings("train.epochs=2", *policies, "optimizer.lr=0.002", "optimizer.weight_decay=0.3")
    seen.unlink()
    result, out = train(capsys, config, "--resume", "last", *changes)
    assert "overridden  optimizer.lr: 0.01 -> 0.002" in out
    steps = [line for line in lines_of(seen) if line["event"] == "train_step"]
    assert {(line["lr"], line["weight_decay"]) for line in steps} == {(rate, 0.3)}
    state = load_snapshot(result["snapshot"]).parts["optimizer"]["state"]
    assert {int(moments["step"]) for moments in state.values()} == {2 * STEPS}
    changes = settings("train.epochs=3", "optimizer.use=rmsprop", "optimizer.lr=0.002")
    _, out = train(capsys, config, "--resume", "last", *changes)
    assert "ignored     optimizer: it is of adamw" in out


@pytest.mark.parametrize("missing", ["last", "no/such/run"])
def test_nothing_to_resume_is_an_error(missing, config, capsys, tmp_path):
    assert run(["train", config, "--resume", missing]) == 1
    error = capsys.readouterr().err
    assert "runs/mini" in error or "no/such/run" in error
    assert not (tmp_path / "runs").exists()


# ---- signals


@pytest.mark.parametrize(("number", "code", "word"), [(2, 130, "interrupted"), (15, 143, "terminated")])
def test_a_signal_costs_nothing(number, code, word, config, capsys):
    """The step is finished, a snapshot made, and going on gives the same weights as if nothing had happened."""
    train(capsys, config, "--out", "whole")
    plain = Path(config).read_text()
    handler = signal.getsignal(number)
    witnessed(config, at_step=STEPS + 2, signals=[number])
    result, out = train(capsys, config, code=code)
    assert f"{word}: the run ends after this step, with a snapshot" in out
    assert (result["stopped"], result["signal"]) == (word, number)
    assert Path(result["snapshot"]).name == f"epoch_0002_step_{STEPS + 2:08d}"
    assert signal.getsignal(number) is handler

    Path(config).write_text(plain)
    rest, _ = train(capsys, config, "--resume", "last")
    one, two = (load_snapshot(find_snapshot("last", folder)).parts for folder in ("whole", Path(rest["log"]).parent))
    for part in ("model", "optimizer"):
        same(one[part], two[part])
    ends = [lines_of(path)[-2] for path in ("whole/log.jsonl", rest["log"])]
    assert ends[0]["phase"] == "val"
    assert [ends[0][name] for name in ("loss", "accuracy")] == [ends[1][name] for name in ("loss", "accuracy")]


def test_a_second_ctrl_c_ends_at_once(config, capsys):
    seen = witnessed(config, at_step=2, signals=[signal.SIGINT, signal.SIGINT])
    assert run(["train", config]) == 130
    assert lines_of(seen)[-1]["event"] == "run_end"
    assert not list(Path("runs/mini").glob("snapshots/*"))
    assert "KeyboardInterrupt" in Path("runs/mini/log.jsonl").read_text()
    assert "Ctrl-C again ends it at once" in capsys.readouterr().out


# ---- several processes


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_batch(config, capfd):
    alone, _ = train(capfd, config, "--out", "alone", *settings("loader.batch_size=36", "train.epochs=2"))
    overrides = settings("loader.batch_size=18", "train.epochs=2", "train.threads=1")
    assert run(["train", config, "--nproc", "2", "--out", "two", "--json", *overrides]) == 0
    capfd.readouterr()
    assert sorted(path.name for path in Path().iterdir()) == ["alone", "experiment", "two"]
    one, two = (lines_of(f"{folder}/log.jsonl") for folder in ("alone", "two"))
    assert len(one) == len(two) == 5  # two epochs, two phases, and the end
    for mine, theirs in zip(one[:-1], two[:-1], strict=True):
        values = ("epoch", "samples", "accuracy", "loss")
        assert [theirs[name] for name in values] == pytest.approx([mine[name] for name in values], rel=1e-4)
    weights = [load_snapshot(find_snapshot("last", folder)).parts["model"] for folder in ("alone", "two")]
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-3, atol=1e-4)
    assert alone["epochs"] == 2
