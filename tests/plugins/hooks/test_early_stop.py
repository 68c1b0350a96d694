from __future__ import annotations

import math

import pytest
from single_thread import one_thread  # noqa: F401
from trainer_parts import batch, trainer

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Hook
from leaven_plugins.hooks.early_stop.hook import EarlyStop
from leaven_plugins.snapshots.files import load_snapshot

DATA = [batch(0)]


class Told:
    """A metric with one value for each epoch, whatever it sees."""

    def __init__(self, values, key="score"):
        self.values, self.key, self.epoch = values, key, -1

    def update(self, sample):
        pass

    def compute(self):
        return {self.key: self.values[self.epoch]}

    def reset(self):
        self.epoch += 1

    def merge(self, other):
        pass


def epochs_of(values, hook, key="score"):
    """Train where a metric has these values, one in each epoch; return how many epochs that takes, and the reason."""
    state = trainer(DATA, val_iter=DATA, hooks=[hook], val_metric=Told(values, key)).train(len(values))
    return len(state["train_metric_values"]), state["stopped"]


@pytest.mark.parametrize(
    ("values", "options", "epochs"),
    [
        ([1, 2, 3, 4, 5], {}, None),
        ([3, 2, 1, 4, 5], {}, 3),
        ([3, 2, 4, 3, 3, 9], {}, 5),
        ([1, 1, 1, 1, 1], {"patience": 3}, 4),
        ([3, 2, 1, 2, 2, 0], {"mode": "min"}, 5),
        ([1, 2, 3, 4], {"mode": "min"}, 3),
        ([1, 1.4, 1.9, 2.3], {"min_delta": 0.5}, None),
        ([1, 1.4, 1.5, 2.3], {"min_delta": 0.5}, 3),
        ([math.nan, 1, 2, 1, 3, 2, 2, 5], {}, 7),
        ([1, math.nan, math.nan, 2], {}, 3),
    ],
)
def test_a_run_ends_after_so_many_epochs_without_anything_better(values, options, epochs):
    options = {"patience": 2, **options}
    found, reason = epochs_of(values, EarlyStop("val_score", **options))
    assert found == (epochs or len(values))
    assert reason == (epochs and f"val_score has not become better for {options['patience']} epochs")


@pytest.mark.parametrize(
    ("key", "is_less_better"), [("loss_x", False), ("score", False), ("my_loss", True), ("mse", True), ("error", True)]
)
def test_what_is_better_goes_by_the_name(key, is_less_better):
    rising, _ = epochs_of([1, 2, 3, 4], EarlyStop(f"val_{key}", patience=1), key)
    falling, _ = epochs_of([4, 3, 2, 1], EarlyStop(f"val_{key}", patience=1), key)
    assert (rising, falling) == ((2, 4) if is_less_better else (4, 2))


def test_values_of_training_count_too():
    state = trainer(DATA, hooks=[EarlyStop("train_accuracy", patience=3, min_delta=2)]).train(9)
    assert len(state["train_metric_values"]) == 4
    assert state["stopped"] == "train_accuracy has not become better for 3 epochs"


def test_it_goes_on_counting_after_a_snapshot(tmp_path):
    def a_run(name, values):
        hook = EarlyStop("val_score", patience=3)
        return trainer(DATA, val_iter=DATA, hooks=[hook], outdir=tmp_path / name, val_metric=Told(values))

    one = a_run("one", [5, 4])
    one.train(2)
    again = a_run("again", [4, 4, 6, 6])
    found = again.restore(load_snapshot(one.state["snapshot"]))
    assert "hooks" in found.done
    state = again.train(6, start_epoch=2)
    assert (state["epoch"], bool(state["stopped"])) == (4, True)


def test_a_value_that_is_not_there_is_an_error():
    with pytest.raises(LeavenError, match="no value 'acuracy' in the val record, did you mean 'accuracy'"):
        trainer(DATA, val_iter=DATA, hooks=[EarlyStop("val_acuracy")]).train(1)
    with pytest.raises(LeavenError, match="without validation there is no val_loss; monitor train_loss"):
        trainer(DATA, hooks=[EarlyStop()]).train(1)


@pytest.mark.parametrize(
    "options",
    [
        {"monitor": "loss"},
        {"monitor": "val_"},
        {"patience": 0},
        {"min_delta": -1},
        {"min_delta": math.nan},
        {"mode": "least"},
    ],
)
def test_values_out_of_range_are_refused(options):
    with pytest.raises(ParameterError, match=f"early_stop: .*{next(iter(options))}="):
        EarlyStop(**options)


def test_it_is_made_by_its_name():
    made = create("hook:early_stop", monitor="val_accuracy", patience=2)
    assert isinstance(made, Hook)
    assert (made.monitor, made.patience) == ("val_accuracy", 2)
