"""Progress: what people see of a run: a bar while it goes on, and a line for each epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from leaven_plugins.trainers.standard.trainer import Trainer

_REDRAW = 0.1
"""Seconds between two drawings of the bar."""


class RunProgress:
    """Shows a trainer's run on a console; in a file or a pipe only the lines of the epochs.

    ::

        with RunProgress(console) as progress:
            progress.attach(trainer)
            trainer.train(12)
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._drawn = -_REDRAW
        self._began: tuple[float, int] | None = None
        self._heading_shown = False
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", text="", total=None)

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def attach(self, trainer: Trainer) -> None:
        """Follow the trainer's events."""
        trainer.add_hook("train_pre_forward", self._mini_batch)
        trainer.add_hook("val_pre_forward", self._mini_batch)
        trainer.add_hook("train_end", self._train_end)
        trainer.add_hook("val_end", self._val_end)

    def _mini_batch(self, state: Mapping[str, Any], sample: object) -> None:
        now = self._clock()
        if self._began is None:
            self._began = (now, state["iteration"])
        if self._console.is_terminal and now - self._drawn >= _REDRAW:
            self._drawn = now
            self._draw(state, now)

    def _draw(self, state: Mapping[str, Any], now: float) -> None:
        iterations = epoch_iterations(state)
        done, total = state["iteration"], iterations * state["num_epochs"] if iterations else None
        text = bar_text(state)
        if total and self._began and done > self._began[1]:
            per_iteration = (now - self._began[0]) / (done - self._began[1])
            text += f"  {duration(per_iteration * (total - done))} left"
        self._bar.update(self._task, description=state["meter"].name, completed=done, total=total, text=text)
        self._bar.refresh()

    def _train_end(self, state: Mapping[str, Any]) -> None:
        if state["val_iter"] is None:
            self._epoch(state, state["records"][-1], None)

    def _val_end(self, state: Mapping[str, Any]) -> None:
        train = [record for record in state["records"] if record["phase"] == "train"]
        if train:
            self._epoch(state, train[-1], state["records"][-1])

    def _epoch(self, state: Mapping[str, Any], train: Mapping[str, Any], val: Mapping[str, Any] | None) -> None:
        columns = table_columns(train, val, state["num_epochs"])
        if not self._heading_shown:
            self._print("  ".join(heading.rjust(len(text)) for heading, text in columns))
            self._heading_shown = True
        self._print("  ".join(text.rjust(len(heading)) for heading, text in columns))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def table_columns(train: Mapping[str, Any], val: Mapping[str, Any] | None, num_epochs: int) -> list[tuple[str, str]]:
    """Return (heading, text) for each column of an epoch's line."""
    number = f"{train['epoch']}/{num_epochs}".rjust(max(5, 2 * len(str(num_epochs)) + 1))
    columns = [("epoch", number), ("loss", f"{train['loss']:.4f}".rjust(7))]
    if val is not None:
        columns.append(("val loss", f"{val['loss']:.4f}"))
    prefix, values = ("", train) if val is None else ("val ", val)
    columns += [(prefix + key, value_text(key, values[key])) for key in metric_keys(values)]
    return [
        *columns,
        ("lr", f"{train['lr']:.2e}"),
        ("img/s", f"{train['images_per_second']:,.0f}".rjust(7)),
        ("wait", f"{train['wait_share']:.0%}".rjust(5)),
    ]


def metric_keys(record: Mapping[str, Any]) -> list[str]:
    """Return the keys of a record that come from metrics."""
    own = {"epoch", "phase", "loss", "lr", "samples", "images_per_second", "wait_share"}
    return [key for key in record if key not in own]


def value_text(key: str, value: float) -> str:
    """Return a metric's value; accuracies in per cent."""
    return f"{value:.2%}" if key.endswith("accuracy") else f"{value:.4g}"


def bar_text(state: Mapping[str, Any]) -> str:
    """Return loss, speed and waiting of the epoch so far."""
    meter = state["meter"]
    return f"loss {meter.loss:.4f}  {meter.images_per_second:,.0f} img/s  wait {meter.wait_share:.0%}"


def duration(seconds: float) -> str:
    """Return ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def epoch_iterations(state: Mapping[str, Any]) -> int | None:
    """Return the number of training iterations in an epoch, where it is known."""
    try:
        return len(state["train_iter"])
    except TypeError:
        return None
