"""History: every so many steps, how good the network is on a few samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from leaven.errors import ParameterError
from leaven_plugins.distributed.world import current
from leaven_plugins.hooks.history.samples import first_rows, kept, last_rows
from leaven_plugins.trainers.standard.batches import mini_batches_of, rows_of

Sample = dict[str, Any]


class History:
    """Tests the network every ``history_freq`` steps, without a trace in the run.

    A record of ``phase = "history"`` goes to the log and into :attr:`rows`: ``epoch``, ``step``, ``loss`` of the step's
    mini-batches before the update, ``loss_gain`` (their loss after it, minus that; below 0 where it got better), and
    ``train_`` and ``val_`` values over so many samples: the newest that were trained on, and the first to validate on.
    All but ``loss`` are measured in evaluation mode, so that with dropout the gain is partly that. Where validation has
    a loss of its own there is no gain.

    The samples to validate on are read once, at the first record: an iteration of ``val_iter`` is begun for them.

    Args:
        history_freq: steps from one test to the next.
        monitor_batch_size: how many samples of each are tested.

    Attributes:
        rows: all records.

    Raises:
        ParameterError: a number is below 1.
    """

    def __init__(self, history_freq: int = 500, monitor_batch_size: int = 64) -> None:
        if history_freq < 1 or monitor_batch_size < 1:
            raise ParameterError(f"history: {history_freq=}, {monitor_batch_size=}: expected 1 or more")
        self.rows: list[dict[str, Any]] = []
        self._every = history_freq
        self._size = monitor_batch_size
        self._newest: list[Sample] = []
        self._val: list[Sample] | None = None
        self._losses: list[Tensor] = []
        self._listens = False
        self._trainer: Any = None

    def attach(self, trainer: Any) -> None:
        """Follow the steps of ``trainer``."""
        self._trainer = trainer
        trainer.add_hook("train_begin", self._listen_if_due)
        trainer.add_hook("train_step", self._step)

    def _listen_if_due(self, state: Mapping[str, Any]) -> None:
        """Follow the losses of the next step if it is tested: for whoever does, all metrics are computed each time."""
        due = (state["step"] + 1) % self._every == 0
        if due == self._listens:
            return
        self._listens = due
        (self._trainer.add_hook if due else self._trainer.remove_hook)("train_forward", self._forward)

    def _forward(self, state: Mapping[str, Any], metric: object, loss: Tensor, output: Sample) -> None:
        self._losses.append(loss)

    def _step(self, state: Mapping[str, Any], samples: Sequence[Sample]) -> None:
        heard, self._losses = self._losses, []
        losses = heard[len(heard) - len(samples) :]  # those before were of steps that were left out
        self._keep(state["step"], samples)
        if state["step"] % self._every == 0:
            if samples:  # a rank without rows in this step has nothing to tell
                self._record(state, samples, losses)
            self._newest = []
        self._listen_if_due(state)

    def _record(self, state: Mapping[str, Any], samples: Sequence[Sample], losses: Sequence[Tensor]) -> None:
        before = _mean(losses, samples)
        record = {"phase": "history", "epoch": state["epoch"], "step": state["step"], "loss": before}
        if state["val_loss"] is state["loss"]:
            record["loss_gain"] = self._trainer.test(samples)["loss"] - before
        record.update(self._tested("train", last_rows(self._newest, self._size)))
        record.update(self._tested("val", self._validation(state)))
        self.rows.append(record)
        if state["logger"] is not None and current().rank == 0:
            state["logger"].log(**record)

    def _keep(self, step: int, samples: Sequence[Sample]) -> None:
        """Keep copies of samples that will be among the newest ones when a test is due, if batches stay as large."""
        later = -step % self._every
        if later * sum(map(rows_of, samples)) < self._size:
            self._newest.extend(map(kept, samples))

    def _validation(self, state: Mapping[str, Any]) -> list[Sample]:
        if self._val is None:
            self._val = [] if state["val_iter"] is None else first_rows(_samples(state["val_iter"]), self._size)
        return self._val

    def _tested(self, name: str, samples: Sequence[Sample]) -> dict[str, float]:
        if not samples:
            return {}
        return {f"{name}_{key}": value for key, value in self._trainer.test(samples).items()}


def _samples(data: Iterable[Any]) -> Iterator[Sample]:
    for item in data:
        yield from mini_batches_of(item)


def _mean(losses: Sequence[Tensor], samples: Sequence[Sample]) -> float:
    rows = [rows_of(sample) for sample in samples]
    total = torch.stack([loss.double() * count for loss, count in zip(losses, rows, strict=True)]).sum()
    return float(total) / sum(rows)
