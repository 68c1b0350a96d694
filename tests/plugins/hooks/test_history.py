from __future__ import annotations

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from single_thread import one_thread  # noqa: F401
from torch.nn import functional
from trainer_parts import Dropping, batch, same, trainer

from leaven import create
from leaven.errors import ParameterError
from leaven.protocols import Hook
from leaven_plugins.hooks.history.hook import History
from leaven_plugins.hooks.history.samples import first_rows, last_rows
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.trainers.standard.trainer import Trainer

DATA = [[batch(0, 4), batch(1, 2)], batch(2, 5), [batch(3, 3), batch(4, 3)], batch(5, 2), batch(6, 6)]
VAL = [batch(10, 3), batch(11, 4), batch(12, 4)]


def a_run(hooks=(), data=DATA, epochs=2, **options):
    torch.manual_seed(5)
    one = trainer(data, hooks=hooks, **{"val_iter": VAL, **options})
    return one, one.train(epochs)


def measured(network, samples):
    """Loss and accuracy over some samples in evaluation mode, and how many rows these have."""
    network = deepcopy(network).eval()
    image, label = (torch.cat([sample[key] for sample in samples]) for key in ("image", "label"))
    with torch.no_grad():
        output = network({"image": image})["output"]
    loss = functional.cross_entropy(output, label[:, 0]).item()
    return loss, (output.argmax(1) == label[:, 0]).double().mean().item()


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"precision": "bf16", "average": {"kind": "ema"}}])
def test_it_leaves_no_trace_in_the_run(options):
    _, expected = a_run(**options)
    _, found = a_run([History(2, 7)], **options)
    for key in ("network", "optimizer"):
        same(found[key].state_dict(), expected[key].state_dict())
    for key in ("train_metric_values", "val_metric_values", "step", "iteration"):
        assert found[key] == expected[key]


def test_records_are_what_a_look_at_the_network_says():
    history, seen = History(history_freq=3, monitor_batch_size=7), []
    torch.manual_seed(5)
    one = trainer(DATA, val_iter=VAL, hooks=[history])
    one.add_hook(
        "train_forward", lambda state, metric, loss, output: losses.append((loss.item(), len(output["image"])))
    )
    one.add_hook("train_step", lambda state, samples: look(samples))
    losses, trained = [], []

    def look(samples):
        trained.extend({key: sample[key] for key in ("image", "label")} for sample in samples)
        if one.state["step"] % 3 == 0:
            before = np.average([loss for loss, _ in losses], weights=[rows for _, rows in losses])
            network = one.state["network"]
            newest = [{key: torch.cat([sample[key] for sample in trained])[-7:] for key in ("image", "label")}]
            oldest = [{key: torch.cat([sample[key] for sample in VAL])[:7] for key in ("image", "label")}]
            train, val = measured(network, newest), measured(network, oldest)
            values = (before, measured(network, samples)[0] - before, *train, *val)
            seen.append((one.state["epoch"], one.state["step"], *values))
        losses.clear()

    one.train(2)
    names = ["epoch", "step", "loss", "loss_gain", "train_loss", "train_accuracy", "val_loss", "val_accuracy"]
    assert len(history.rows) == len(seen) == 3
    for row, values in zip(history.rows, seen, strict=True):
        assert row.pop("phase") == "history"
        assert row == pytest.approx(dict(zip(names, values, strict=True)), rel=1e-5, abs=1e-6)


class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(5, 3)
        self.tested = []

    def forward(self, sample):
        if not self.training:
            self.tested.append(len(sample["image"]))
        return {**sample, "output": self.layer(sample["image"])}


@pytest.mark.parametrize(("rate", "sign"), [(0.1, -1), (0, 0), (-0.1, 1)])
def test_the_gain_is_below_zero_where_it_gets_better(rate, sign):
    history, network = History(1, 4), Plain()
    optimizer = torch.optim.SGD(network.parameters(), lr=abs(rate), maximize=rate < 0)
    trainer([batch(0, 6)], network, optimizer, hooks=[history]).train(5)
    assert [np.sign(row["loss_gain"]) for row in history.rows] == [sign] * 5
    assert "val_loss" not in history.rows[0]


@pytest.mark.parametrize("size", [1, 3, 4, 10, 50])
def test_so_many_samples_are_tested(size):
    history, network = History(4, size), Plain()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    one = trainer([batch(n, 3) for n in range(4)], network, optimizer, hooks=[history], val_iter=VAL)
    one.add_hook("val_begin", lambda state: network.tested.append("val"))
    one.train(1)
    tested = network.tested[: network.tested.index("val")]
    assert tested[0] == 3  # the gain's
    assert sum(tested[1:]) == min(size, 12) + min(size, 11)


def test_metrics_are_computed_for_it_only_where_a_record_is_due():
    calls = []

    class Costly:
        def update(self, sample):
            pass

        def compute(self):
            calls.append(1)
            return {}

        def reset(self):
            pass

        def merge(self, other):
            pass

    data = [batch(number) for number in range(12)]
    network = Plain()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    Trainer(network, optimizer, CrossEntropy(), Costly(), train_iter=data, hooks=[History(6)]).train(1)
    assert len(calls) == 2 * 3 + 1  # before each record, and for the gain and the values; and for the epoch


def test_a_step_that_was_left_out_does_not_count():
    bad = batch(7)
    bad["image"][0, 0] = math.nan
    history = History(2, 4)
    network = Plain()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    trainer([batch(0), bad, batch(1)], network, optimizer, hooks=[history], nonfinite="skip").train(1)
    (row,) = history.rows
    assert row["step"] == 2
    assert all(map(math.isfinite, (value for key, value in row.items() if key != "phase")))


def test_rows_without_a_sample_and_memory_of_loaders_are_not_kept():
    class Reusing:
        """Hands out one memory again and again."""

        def __init__(self, samples):
            self.samples = samples
            self.memory = {key: np.zeros_like(array) for key, array in samples[0].items()}

        def __iter__(self):
            for number, sample in enumerate(self.samples):
                for key, array in self.memory.items():
                    array[:] = sample[key]
                yield number, [{**self.memory, "valid": np.array([True, True, True, False])}]

    class Arrays(Dropping):
        def forward(self, sample):
            tensors = {key: torch.as_tensor(sample[key]) for key in ("image", "label")}
            return super().forward({**sample, **tensors})

    histories = [History(3, 5), History(3, 5)]
    val, data = [batch(20), batch(21)], [batch(number) for number in range(3)]
    a_run([histories[0]], Reusing(data), 1, val_iter=Reusing(val), network=Arrays())
    threes = [[{key: value[:3] for key, value in sample.items()} for sample in samples] for samples in (data, val)]
    a_run([histories[1]], threes[0], 1, val_iter=threes[1], network=Dropping())
    assert histories[0].rows == histories[1].rows


def test_the_log_has_its_records_and_no_gain_where_losses_differ():
    logged = []

    class Logger:
        def log(self, **fields):
            logged.append(fields)

    history = History(4, 4)
    _, state = a_run([history], epochs=1, logger=Logger(), val_loss=CrossEntropy())
    assert logged[0] == history.rows[0]
    assert "loss_gain" not in logged[0]
    assert state["records"] == logged[1:3]


def test_parts_of_samples():
    def sample(numbers):
        rows = len(numbers)
        return {"n": torch.tensor(numbers), "name": [str(n) for n in numbers], "scale": 2, "pair": (torch.ones(rows),)}

    samples = [sample([1, 2, 3]), sample([4]), sample([5, 6])]
    for count in range(1, 8):
        for found, expected in ((first_rows, range(1, 7)), (last_rows, range(6, 0, -1))):
            parts = found(samples, count)
            numbers = [int(n) for part in parts for n in part["n"]]
            assert numbers == sorted(list(expected)[:count])
            assert [int(name) for part in parts for name in part["name"]] == numbers
            assert all(len(part["pair"][0]) == len(part["n"]) and part["scale"] == 2 for part in parts)


@pytest.mark.parametrize("options", [{"history_freq": 0}, {"monitor_batch_size": 0}])
def test_numbers_below_one_are_refused(options):
    with pytest.raises(ParameterError, match=f"{next(iter(options))}=0"):
        History(**options)


def test_it_is_made_by_its_name():
    assert isinstance(create("hook:history", history_freq=3), Hook)
