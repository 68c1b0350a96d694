"""Trainer: epochs of training and validation over any iterable of samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Logger, Loss, Metric, Model, Policy
from leaven_plugins.trainers.standard.batches import mini_batches_of, rows_of
from leaven_plugins.trainers.standard.events import Hook, Hooks
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.meter import EpochMeter
from leaven_plugins.trainers.standard.snapshots import Snapshot, save_snapshot


class Trainer:
    """The usual loop; the order of everything is in :mod:`leaven_plugins.trainers.standard.events`.

    Data is anything that can be iterated once for each epoch and yields ``(iteration, mini_batches)`` as a loader does,
    lists of sample dicts, or sample dicts. The gradients of an iteration's mini-batches are added up, weighted by rows,
    to what one large batch would give (where losses are means over rows); then the optimizer makes one step.

    Rows that hold no sample, as a batch's mask ``valid`` says, are taken out before network, loss, metrics and hooks
    see it, and weigh nothing. A mini-batch of such rows alone is left out, and an iteration of these makes no step.

    Args:
        network: a module that takes and returns sample dicts, already on its device.
        optimizer: a ``torch.optim.Optimizer`` over its parameters.
        loss: scalar loss of an output sample.
        metric: what to measure of output samples, one or several.
        train_policy: sets the learning rates before every step: ``value(base, epoch, num_epochs)`` with the fraction of
            epochs done, this iteration included (whole epochs only where ``train_iter`` has no length). ``None`` leaves
            the rates alone.
        val_policy: the same, once after each validation.
        train_iter: data to train on.
        val_iter: data to validate on; without it there is no validation.
        outdir: where ``snapshots/`` goes; ``None`` for no snapshots.
        val_loss: loss in validation, by default ``loss``.
        val_metric: metrics in validation, by default ``metric``.
        snapshot_interval: epochs from one snapshot to the next; 0 for none.
        logger: gets one record per epoch and phase: ``epoch, phase, *metrics, loss, lr`` (at the start of the epoch; in
            ``train`` records), ``samples, images_per_second, wait_share`` (share of the time spent waiting for data).
        about: plain data to keep in every snapshot, such as the resolved configuration.
        clock: seconds, rising.

    Attributes:
        state: what hooks see. ``epoch``, ``num_epochs``, ``iteration`` (of all epochs), the arguments by their names,
            ``meter`` (loss and speed of the current epoch), ``train_metric_values`` and ``val_metric_values`` (one dict
            per epoch, the mean ``loss`` among them), ``records`` (what was logged) and ``snapshot`` (path of the last).

    Raises:
        ParameterError: ``snapshot_interval`` is negative.
    """

    def __init__(
        self,
        network: Model,
        optimizer: Any,
        loss: Loss,
        metric: Metric | Sequence[Metric] = (),
        train_policy: Policy | None = None,
        val_policy: Policy | None = None,
        train_iter: Iterable[Any] = (),
        val_iter: Iterable[Any] | None = None,
        outdir: str | PathLike[str] | None = None,
        val_loss: Loss | None = None,
        val_metric: Metric | Sequence[Metric] | None = None,
        snapshot_interval: int = 1,
        logger: Logger | None = None,
        about: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if snapshot_interval < 0:
            raise ParameterError(f"trainer standard: snapshot_interval={snapshot_interval}: expected 0 or more")
        self._hooks = Hooks()
        self._clock = clock
        self._about = dict(about or {})
        self._metric = Measures(metric)
        self._val_metric = self._metric if val_metric is None else Measures(val_metric)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.state: dict[str, Any] = {
            "epoch": 0,
            "num_epochs": 0,
            "iteration": 0,
            "network": network,
            "optimizer": optimizer,
            "train_policy": train_policy,
            "val_policy": val_policy,
            "loss": loss,
            "metric": metric,
            "train_iter": train_iter,
            "val_iter": val_iter,
            "train_metric_values": [],
            "val_metric_values": [],
            "outdir": None if outdir is None else Path(outdir),
            "val_loss": loss if val_loss is None else val_loss,
            "val_metric": metric if val_metric is None else val_metric,
            "snapshot_interval": snapshot_interval,
            "logger": logger,
            "meter": None,
            "records": [],
            "snapshot": None,
        }

    def add_hook(self, event: str, function: Hook) -> None:
        """Call ``function(state, **arguments)`` on each ``event``.

        Raises:
            UnknownName: there is no such event.
        """
        self._hooks.add(event, function)

    def remove_hook(self, event: str, function: Hook) -> None:
        """Undo one :meth:`add_hook`.

        Raises:
            UnknownName: there is no such event, or the function was not added to it.
        """
        self._hooks.remove(event, function)

    def train(self, num_epochs: int, start_epoch: int = 0) -> dict[str, Any]:
        """Train epochs ``start_epoch + 1`` to ``num_epochs``; return the state.

        Raises:
            LeavenError: a loss that is not finite, data that is not samples, a sample that lacks a key.
            SnapshotError: a snapshot could not be written.
        """
        self.state["iteration"] = start_epoch * (_length(self.state["train_iter"]) or 0)
        try:
            for epoch in range(start_epoch + 1, num_epochs + 1):
                self._run_epoch(epoch, num_epochs)
        except BaseException as error:
            self._log(message=f"stopped in epoch {self.state['epoch']}: {type(error).__name__}: {error}".rstrip(": "))
            raise
        self._log(message="finished")
        return self.state

    def train_epoch(self, epoch: int, num_epochs: int) -> dict[str, Any]:
        """Train epoch ``epoch`` (from 1) of ``num_epochs``; return its record."""
        state = self.state
        state.update(epoch=epoch, num_epochs=num_epochs)
        meter = self._begin("train", epoch, self._metric)
        rate = state["optimizer"].param_groups[0]["lr"]
        state["network"].train()
        for item in meter.iterate(state["train_iter"]):
            state["iteration"] += 1
            self._train_iteration(mini_batches_of(item), meter)
        return self._end("train", meter, self._metric, lr=rate)

    @torch.no_grad()
    def validate_epoch(self, epoch: int) -> dict[str, Any]:
        """Measure the network on ``val_iter`` in evaluation mode; return the record of it."""
        state = self.state
        state["epoch"] = epoch
        meter = self._begin("val", epoch, self._val_metric)
        state["network"].eval()
        for item in meter.iterate(state["val_iter"]):
            for sample in mini_batches_of(item):
                self._hooks.call("val_pre_forward", state, partial(dict, sample=sample))
                rows = rows_of(sample)
                output, loss = self._forward(sample, state["val_loss"], self._val_metric)
                meter.add(loss, rows)
                self._hooks.call("val_forward", state, _arguments(self._val_metric, loss, output))
        return self._end("val", meter, self._val_metric)

    def snapshot(self, epoch: int) -> Path:
        """Write ``snapshots/epoch_NNNN`` into ``outdir``; return its path.

        Raises:
            SnapshotError: it cannot be written.
            LeavenError: there is no ``outdir``.
        """
        state = self.state
        if state["outdir"] is None:
            raise LeavenError("trainer standard: a snapshot needs an outdir")
        position = {"epoch": epoch, "iteration": state["iteration"], "values": self._latest_values()}
        content = Snapshot(
            state["network"].state_dict(), state["optimizer"].state_dict(), {**position, "about": self._about}
        )
        state["snapshot"] = save_snapshot(state["outdir"] / "snapshots" / f"epoch_{epoch:04d}", content)
        return Path(state["snapshot"])

    def _run_epoch(self, epoch: int, num_epochs: int) -> None:
        state = self.state
        self._log(**self.train_epoch(epoch, num_epochs))
        if state["val_iter"] is not None:
            record = self.validate_epoch(epoch)
            self._set_rates(state["val_policy"], epoch)
            self._log(**record)
        interval = state["snapshot_interval"]
        if state["outdir"] is not None and interval and epoch % interval == 0:
            self.snapshot(epoch)

    def _train_iteration(self, samples: list[dict[str, Any]], meter: EpochMeter) -> None:
        state = self.state
        state["optimizer"].zero_grad()
        rows = [rows_of(sample) for sample in samples]
        for sample, count in zip(samples, rows, strict=True):
            self._hooks.call("train_pre_forward", state, partial(dict, sample=sample))
            output, loss = self._forward(sample, state["loss"], self._metric)
            meter.add(loss, count)
            arguments = _arguments(self._metric, loss, output)
            self._hooks.call("train_forward", state, arguments)
            torch.autograd.backward(loss * (count / sum(rows)))
            self._hooks.call("train_backward", state, arguments)
        self._set_rates(state["train_policy"], self._epochs_done(meter))
        if samples:
            state["optimizer"].step()

    def _forward(self, sample: dict[str, Any], loss: Loss, metric: Measures) -> tuple[dict[str, Any], Tensor]:
        try:
            output = self.state["network"](sample)
            value = loss(output)
            with torch.no_grad():
                metric.update(output)
        except KeyError as error:
            have = ", ".join(map(str, sample))
            raise LeavenError(f"network, loss or metric asks for a key {error}; the sample has: {have}") from error
        if value.ndim:
            raise LeavenError(f"the loss must be a scalar, not of shape {tuple(value.shape)}; use reduction='mean'")
        return output, value

    def _epochs_done(self, meter: EpochMeter) -> float:
        length = _length(self.state["train_iter"])
        within = min(meter.iterations / length, 1.0) if length else 0.0
        return float(self.state["epoch"] - 1 + within)

    def _set_rates(self, policy: Policy | None, epochs_done: float) -> None:
        if policy is not None:
            for group in self.state["optimizer"].param_groups:
                group["lr"] = policy.value(group["initial_lr"], epochs_done, self.state["num_epochs"])

    def _begin(self, phase: str, epoch: int, metric: Measures) -> EpochMeter:
        metric.reset()
        meter = self.state["meter"] = EpochMeter(f"{phase} epoch {epoch}", self._clock)
        self._hooks.call(f"{phase}_begin", self.state)
        return meter

    def _end(self, phase: str, meter: EpochMeter, metric: Measures, **more: Any) -> dict[str, Any]:
        values = {**metric.compute(), "loss": meter.loss}
        record = {
            "epoch": self.state["epoch"],
            "phase": phase,
            **values,
            **more,
            "samples": meter.samples,
            "images_per_second": meter.images_per_second,
            "wait_share": meter.wait_share,
        }
        self.state[f"{phase}_metric_values"].append(values)
        self.state["records"].append(record)
        self._hooks.call(f"{phase}_end", self.state)
        return record

    def _latest_values(self) -> dict[str, Any]:
        kept = {"train": self.state["train_metric_values"], "val": self.state["val_metric_values"]}
        return {phase: values[-1] for phase, values in kept.items() if values}

    def _log(self, **record: Any) -> None:
        if self.state["logger"] is not None:
            self.state["logger"].log(**record)


def _length(data: Any) -> int | None:
    try:
        return len(data)
    except TypeError:
        return None


def _arguments(metric: Measures, loss: Tensor, output: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    return lambda: {"metric": metric.compute(), "loss": loss.detach(), "output": output}
