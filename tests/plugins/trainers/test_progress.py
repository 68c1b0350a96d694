from __future__ import annotations

import io
from itertools import count

import numpy as np
import pytest
import torch
from rich.console import Console

from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.models.tiny_mlp.model import TinyMLP
from leaven_plugins.trainers.standard.progress import RunProgress, duration, table_columns
from leaven_plugins.trainers.standard.trainer import Trainer


def run(console, epochs=2, validate=True, clock=None, iterations=3):
    torch.manual_seed(0)
    network = TinyMLP(4, 2)
    sample = {"image": torch.ones(5, 1, 2, 2), "label": torch.tensor([0, 1, 1, 0, 1])}
    data = [(i, [sample]) for i in range(iterations)]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    trainer = Trainer(
        network, optimizer, CrossEntropy(), Accuracy(), train_iter=data, val_iter=data if validate else None
    )
    with RunProgress(console, **({"clock": clock} if clock else {})) as progress:
        progress.attach(trainer)
        return trainer.train(epochs)


def test_without_a_terminal_there_are_plain_lines_only():
    text = io.StringIO()
    state = run(Console(file=text, width=20))
    lines = text.getvalue().splitlines()
    assert lines[0].split() == ["epoch", "loss", "val", "loss", "val", "accuracy", "lr", "img/s", "wait"]
    assert [line.split()[0] for line in lines[1:]] == ["1/2", "2/2"]
    assert f"{state['val_metric_values'][1]['accuracy']:.2%}" in lines[2]
    assert len({len(line) for line in lines}) == 1
    assert "\x1b" not in text.getvalue()


def test_without_validation_the_line_shows_the_training_values():
    text = io.StringIO()
    run(Console(file=text, width=200), epochs=1, validate=False)
    assert text.getvalue().splitlines()[0].split() == ["epoch", "loss", "accuracy", "lr", "img/s", "wait"]


def test_on_a_terminal_the_bar_is_drawn_ten_times_a_second_at_most():
    def bars(tick):
        text = io.StringIO()
        ticks = count()
        run(Console(file=text, force_terminal=True, width=120), clock=lambda: next(ticks) * tick, iterations=40)
        assert "train epoch 1" in text.getvalue()
        return text.getvalue().count("img/s  wait ")

    assert bars(tick=0.01) * 5 < bars(tick=0.2)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3661, "1:01:01")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_bar_says_how_long_it_will_take():
    text = io.StringIO()
    ticks = count()
    console = Console(file=text, force_terminal=True, width=150)
    run(console, clock=lambda: 60.0 * next(ticks), iterations=5, validate=False)
    # One look at the clock per iteration, of which there are ten: at the second one, eight minutes are left.
    left = [line.split(" left")[0].rsplit(" ", 1)[1] for line in text.getvalue().split("\r") if " left" in line]
    assert left[0] == "8:00"
    assert left[-1] == "0:00"


def test_the_columns_of_a_row():
    train = {"epoch": 3, "loss": 0.25, "lr": 0.001, "images_per_second": 1234.5, "wait_share": 0.031, "phase": "train"}
    val = {"epoch": 3, "phase": "val", "loss": 0.5, "accuracy": 0.98764, "error": np.float64(0.12345678), "samples": 9}
    columns = {heading: text.strip() for heading, text in table_columns(train, val, 12)}
    assert columns == {
        "epoch": "3/12",
        "loss": "0.2500",
        "val loss": "0.5000",
        "val accuracy": "98.76%",
        "val error": "0.1235",
        "lr": "1.00e-03",
        "img/s": "1,234",
        "wait": "3%",
    }
