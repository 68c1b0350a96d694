from __future__ import annotations

import json
import math
from itertools import count

import numpy as np
import pytest
import torch

from leaven.errors import LeavenError, ParameterError, UnknownName
from leaven_plugins.loggers.jsonl.logger import JSONLogger
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.metrics.average.metric import Average
from leaven_plugins.policies.poly.policy import Poly
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.trainers.standard.trainer import Trainer
from leaven_plugins.trainers.standard.validity import valid_part


class Linear(torch.nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))
        self.bias = torch.nn.Parameter(torch.tensor(bias))

    def forward(self, sample):
        return {**sample, "output": sample["image"] @ self.weight.T + self.bias}


def a_batch(seed, rows=4):
    random = np.random.default_rng(seed)
    return {
        "image": torch.tensor(random.normal(size=(rows, 5))),
        "label": torch.tensor(random.integers(0, 3, (rows, 1))),
    }


def a_network(seed=0):
    random = np.random.default_rng(seed)
    return Linear(random.normal(size=(3, 5)), random.normal(size=3))


def a_trainer(train_iter, network=None, momentum=0.0, **options):
    network = network or a_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=momentum)
    return Trainer(network, optimizer, CrossEntropy(), Accuracy(), train_iter=train_iter, **options)


# ---- what it computes


def with_gaps(sample, gaps, form=np.asarray):
    """The sample with rows that hold nothing before, within and after it."""
    kept = [place for place in range(len(sample["label"]) + len(gaps)) if place not in gaps]
    valid = np.zeros(len(sample["label"]) + len(gaps), bool)
    valid[kept] = True
    spread = {}
    for key, value in sample.items():
        spread[key] = torch.full((len(valid), *value.shape[1:]), 99, dtype=value.dtype)
        spread[key][kept] = value
    names = ["nobody"] * len(valid)
    return {**spread, "valid": form(valid), "name": names, "classes": ["a", "b"], "scale": torch.tensor(2.0)}


@pytest.mark.parametrize("form", [np.asarray, torch.tensor])
def test_rows_without_a_sample_count_for_nothing(form):
    wholes = [[a_batch(1, 4), a_batch(2, 3)], [a_batch(3, 5)]]
    nobody = with_gaps(a_batch(4, 0), [0, 1, 2], form)
    gappy = [
        [with_gaps(wholes[0][0], [0, 5], form), nobody, with_gaps(wholes[0][1], [1], form)],
        [nobody],
        [with_gaps(wholes[1][0], [], form)],
    ]
    one, other = a_network(), a_network()
    expected = a_trainer(wholes, one, momentum=0.0, val_iter=wholes).train(1)
    found = a_trainer(gappy, other, momentum=0.0, val_iter=gappy).train(1)
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)
    assert found["train_metric_values"] == expected["train_metric_values"]
    assert found["val_metric_values"] == expected["val_metric_values"]
    assert [record["samples"] for record in found["records"]] == [12, 12]


def test_an_iteration_without_any_sample_makes_no_step():
    nobody = with_gaps(a_batch(4, 0), [0, 1, 2])
    network, alone = a_network(), a_network()
    a_trainer([a_batch(0), nobody, nobody], network, momentum=0.9).train(1)
    a_trainer([a_batch(0)], alone, momentum=0.9).train(1)
    torch.testing.assert_close(network.state_dict(), alone.state_dict(), rtol=0, atol=0)


def test_what_has_no_entry_for_each_row_stays_as_it_is():
    sample = with_gaps(a_batch(1, 3), [1])
    part = valid_part(sample)
    assert part["scale"] is sample["scale"]
    assert part["classes"] is sample["classes"]
    assert (len(part["name"]), part["image"].shape, part["valid"].tolist()) == (3, (3, 5), [True] * 3)


@pytest.mark.parametrize("valid", [None, np.ones(4, bool), torch.ones(4, dtype=torch.bool)])
def test_a_sample_whose_rows_all_count_is_left_alone(valid):
    sample = {**a_batch(1), "valid": valid}
    assert valid_part(sample) is sample


@pytest.mark.parametrize(
    "valid",
    [
        "yes",
        [True, False, True, True],
        np.ones(4, "uint8"),
        torch.ones(4),
        np.ones((4, 1), bool),
        np.ones((), bool),
        np.array([True, False, True]),
        np.ones(5, bool),
    ],
)
def test_a_mask_that_does_not_fit_the_rows_is_an_error(valid):
    sample = a_batch(1)
    assert len(sample["label"]) == 4
    with pytest.raises(LeavenError, match=r"'valid': expected .*one bool for each row, got"):
        valid_part({**sample, "valid": valid})


def test_one_epoch_is_the_bare_loop():
    data = [a_batch(i) for i in range(6)]
    network, bare = a_network(), a_network()
    state = a_trainer(data, network).train(1)

    optimizer = torch.optim.SGD(bare.parameters(), lr=0.1)
    losses = []
    for sample in data:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(bare(sample)["output"], sample["label"][:, 0])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    torch.testing.assert_close(network.state_dict(), bare.state_dict(), rtol=0, atol=0)
    assert state["train_metric_values"][0]["loss"] == pytest.approx(np.mean(losses), rel=1e-12)


@pytest.mark.parametrize("sizes", [(4, 4), (1, 7), (5, 2, 1)])
def test_mini_batches_give_the_gradient_of_the_whole_batch(sizes):
    whole = a_batch(1, rows=8)
    images, labels = (whole[key].split(sizes) for key in ("image", "label"))
    parts = [{"image": image, "label": label} for image, label in zip(images, labels, strict=True)]
    one, many = a_network(), a_network()
    single = a_trainer([(0, [whole])], one).train(1)
    split = a_trainer([(0, parts)], many).train(1)
    torch.testing.assert_close(one.state_dict(), many.state_dict(), rtol=1e-12, atol=1e-14)
    assert split["train_metric_values"][0] == pytest.approx(single["train_metric_values"][0], rel=1e-12)


def test_values_are_weighted_by_rows():
    data = [a_batch(1, rows=7), a_batch(2, rows=1)]
    network = a_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    trainer = Trainer(network, optimizer, CrossEntropy(), Accuracy(), train_iter=data, val_iter=data)
    trainer.validate_epoch(1)
    whole = {key: torch.cat([sample[key] for sample in data]) for key in data[0]}
    with torch.no_grad():
        output = network(whole)
    assert trainer.state["val_metric_values"] == [
        {
            "accuracy": float((output["output"].argmax(1) == whole["label"][:, 0]).double().mean()),
            "loss": pytest.approx(float(CrossEntropy()(output)), rel=1e-12),
        }
    ]


class Recorder:
    """A policy that writes down what it is asked."""

    def __init__(self):
        self.epochs = []

    def value(self, base, epoch, num_epochs):
        self.epochs.append(epoch)
        return base


# ---- policies


def test_the_policy_sets_the_rate_before_every_step():
    rates = []

    class Watched(torch.optim.SGD):
        def step(self, *args):
            rates.append(self.param_groups[0]["lr"])
            return super().step(*args)

    network = a_network()
    optimizer = Watched(network.parameters(), lr=0.2)
    data = [a_batch(0), a_batch(1)]
    state = Trainer(network, optimizer, CrossEntropy(), train_policy=Poly(power=1), train_iter=data).train(2)
    assert rates == pytest.approx([0.2 * 3 / 4, 0.2 * 2 / 4, 0.2 * 1 / 4, 0])
    assert [record["lr"] for record in state["records"]] == pytest.approx([0.2, 0.2 * 2 / 4])


def test_without_a_length_the_policy_sees_whole_epochs():
    class Endless:
        def __iter__(self):
            return iter([a_batch(0), a_batch(1)])

    recorder = Recorder()
    a_trainer(Endless(), train_policy=recorder).train(2)
    assert recorder.epochs == [0, 0, 1, 1]


def test_the_validation_policy_is_asked_once_an_epoch():
    recorder = Recorder()
    a_trainer([a_batch(0), a_batch(1)], val_iter=[a_batch(2)], val_policy=recorder).train(3)
    assert recorder.epochs == [1, 2, 3]


# ---- hooks


def test_hooks_are_called_in_their_order_and_can_be_removed():
    calls = []

    def first(state):
        calls.append(("first", state["epoch"]))

    trainer = a_trainer([a_batch(0)])
    trainer.add_hook("train_begin", first)
    trainer.add_hook("train_begin", lambda state: calls.append(("second", state["epoch"])))
    trainer.train(1)
    trainer.remove_hook("train_begin", first)
    trainer.train(1)
    assert calls == [("first", 1), ("second", 1), ("second", 1)]


def test_a_hook_sees_the_sample_and_detached_results():
    seen = {}
    trainer = a_trainer([a_batch(3)])
    trainer.add_hook("train_pre_forward", lambda state, sample: sample.update(extra=1))
    trainer.add_hook("train_forward", lambda state, **more: seen.update(more))
    trainer.train(1)
    assert seen["output"]["extra"] == 1
    assert not seen["loss"].requires_grad
    assert set(seen["metric"]) == {"accuracy"}


def test_unknown_events_are_refused():
    trainer = a_trainer([a_batch(0)])
    with pytest.raises(UnknownName, match="no event 'train_beginn', did you mean 'train_begin'"):
        trainer.add_hook("train_beginn", print)
    with pytest.raises(UnknownName, match=r"no event 'x'; events: .*val_pre_forward"):
        trainer.remove_hook("x", print)
    with pytest.raises(UnknownName, match="was not added"):
        trainer.remove_hook("val_end", print)


# ---- modes


def test_training_and_validation_modes():
    seen = []

    class Watcher(Linear):
        def forward(self, sample):
            seen.append((self.training, torch.is_grad_enabled()))
            return super().forward(sample)

    network = Watcher(np.zeros((3, 5)), np.zeros(3))
    a_trainer([a_batch(0)], network, val_iter=[a_batch(1)]).train(2)
    assert seen == [(True, True), (False, False)] * 2


def test_validation_may_have_a_loss_and_metrics_of_its_own():
    def double(sample):
        return 2 * CrossEntropy()(sample)

    data = [a_batch(0)]
    trainer = a_trainer(data, val_iter=data, val_loss=double, val_metric=[Average("image", "mean_pixel"), Accuracy(3)])
    trainer.state["optimizer"].param_groups[0]["lr"] = 0.0
    state = trainer.train(1)
    assert state["val_metric_values"][0]["loss"] == pytest.approx(2 * state["train_metric_values"][0]["loss"])
    assert set(state["val_metric_values"][0]) == {"mean_pixel", "top3_accuracy", "loss"}
    assert set(state["train_metric_values"][0]) == {"accuracy", "loss"}


# ---- log


def test_the_log_has_one_record_per_epoch_and_phase(tmp_path):
    logger = JSONLogger(tmp_path / "log.jsonl")
    ticks = count()
    data = [a_batch(0, rows=3), a_batch(1, rows=5)]
    a_trainer(data, val_iter=data[:1], logger=logger, clock=lambda: float(next(ticks))).train(2)
    logger.close()
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(r.get("epoch"), r.get("phase"), r.get("message")) for r in records] == [
        (1, "train", None),
        (1, "val", None),
        (2, "train", None),
        (2, "val", None),
        (None, None, "finished"),
    ]
    train = records[0]
    assert list(train) == [
        *("timestamp", "epoch", "phase", "accuracy", "loss", "lr", "samples", "images_per_second", "wait_share")
    ]
    # The clock ticks at the start, twice for each of the 3 looks for data (one finds the end), and at the end.
    assert train["samples"] == 8
    assert train["images_per_second"] == pytest.approx(8 / 7)
    assert train["wait_share"] == pytest.approx(3 / 7)
    assert "lr" not in records[1]


def test_the_log_says_why_a_run_ended(tmp_path):
    logger = JSONLogger(tmp_path / "log.jsonl")
    trainer = a_trainer([a_batch(0)], logger=logger)

    def interrupt(state):
        raise KeyboardInterrupt

    trainer.add_hook("train_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(3)
    logger.close()
    assert json.loads((tmp_path / "log.jsonl").read_text())["message"] == "stopped in epoch 1: KeyboardInterrupt"


# ---- what goes wrong


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_run_before_the_weights_change(bad):
    data = [a_batch(0), a_batch(1), a_batch(2)]
    data[1]["image"][0, 0] = bad
    network = a_network()
    expected = a_network()
    a_trainer(data[:1], expected).train(1)
    with pytest.raises(LeavenError, match=r"train epoch 1, iteration 2: the loss is (nan|inf)"):
        a_trainer(data, network).train(2)
    torch.testing.assert_close(network.state_dict(), expected.state_dict())


@pytest.mark.parametrize("data", [[], iter([])])
def test_no_data_is_an_error(data):
    with pytest.raises(LeavenError, match="train epoch 1: no data"):
        a_trainer(data).train(1)


def test_an_iterator_that_is_used_up_is_an_error():
    with pytest.raises(LeavenError, match=r"train epoch 2: no data.*only once"):
        a_trainer(iter([a_batch(0)])).train(2)


@pytest.mark.parametrize("item", [3, "ab", [], (0, []), [1, 2], (0, 5)])
def test_data_that_is_no_sample_is_an_error(item):
    with pytest.raises(LeavenError, match="data must be"):
        a_trainer([item]).train(1)


def test_a_sample_without_rows_is_an_error():
    with pytest.raises(LeavenError, match="without arrays has no rows; its keys: label"):
        a_trainer([{"label": 3}]).train(1)


def test_a_missing_key_is_named_with_those_that_are_there():
    with pytest.raises(LeavenError, match=r"asks for a key 'label'; the sample has: image$"):
        a_trainer([{"image": a_batch(0)["image"]}]).train(1)


def test_a_loss_that_is_no_scalar_is_an_error():
    network = a_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    with pytest.raises(LeavenError, match=r"scalar, not of shape \(4,\)"):
        Trainer(network, optimizer, CrossEntropy(reduction="none"), train_iter=[a_batch(0)]).train(1)


def test_two_values_of_one_name_are_an_error():
    with pytest.raises(LeavenError, match="two metrics have a value called 'accuracy'"):
        a_trainer([a_batch(0)], val_iter=[a_batch(0)], val_metric=(Accuracy(), Accuracy())).train(1)


def test_a_negative_interval_is_refused():
    with pytest.raises(ParameterError, match="snapshot_interval=-1"):
        a_trainer([a_batch(0)], snapshot_interval=-1)


# ---- snapshots


def test_going_on_from_a_snapshot_is_the_same_run(tmp_path):
    data = [a_batch(i) for i in range(3)]
    options = {"train_policy": Poly(power=0.9), "momentum": 0.9}
    whole = a_trainer(data, **options).train(4)

    first = a_trainer(data, outdir=tmp_path, about={"seed": 7}, **options)
    for epoch in (1, 2):
        first.train_epoch(epoch, num_epochs=4)
    snapshot = load_snapshot(first.snapshot(2))
    about = {key: value for key, value in snapshot.about.items() if key != "best_by"}
    assert about == {
        "epoch": 2,
        "iteration": 6,
        "step": 6,
        "skipped": 0,
        "values": {"train": first.state["train_metric_values"][1]},
        "seed": 7,
    }
    second = a_trainer(data, network=a_network(seed=9), **options)
    second.restore(snapshot)
    rest = second.train(4, start_epoch=second.state["epoch"])
    assert rest["train_metric_values"] == whole["train_metric_values"][2:]
    torch.testing.assert_close(rest["network"].state_dict(), whole["network"].state_dict(), rtol=0, atol=0)


def test_the_interval_of_snapshots(tmp_path):
    state = a_trainer([a_batch(0)], outdir=tmp_path, snapshot_interval=2).train(5)
    assert sorted(path.name for path in (tmp_path / "snapshots").iterdir()) == ["epoch_0002", "epoch_0004"]
    assert state["snapshot"] == tmp_path / "snapshots" / "epoch_0004"


def test_which_snapshots_are_kept(tmp_path):
    a_trainer([a_batch(0)], outdir=tmp_path, keep_last=1, keep_best=0, keep_every=3).train(7)
    kept = sorted(path.name for path in (tmp_path / "snapshots").iterdir())
    assert kept == ["epoch_0003", "epoch_0006", "epoch_0007"]


def test_without_outdir_or_interval_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer = a_trainer([a_batch(0)])
    trainer.train(1)
    a_trainer([a_batch(0)], outdir=tmp_path, snapshot_interval=0).train(1)
    assert not list(tmp_path.iterdir())
    with pytest.raises(LeavenError, match="outdir"):
        trainer.snapshot(1)
