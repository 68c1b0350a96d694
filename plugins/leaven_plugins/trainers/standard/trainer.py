"""Trainer: epochs of training and validation over any iterable of samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from pathlib import Path
from typing import Any

import torch

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Hook, Logger, Loss, Metric, Model, Policy
from leaven_plugins.distributed.world import World
from leaven_plugins.optimizers.averaging import WeightAverage
from leaven_plugins.snapshots.files import Snapshot
from leaven_plugins.trainers.standard.ending import ORDINARY, Ending
from leaven_plugins.trainers.standard.events import Events, Function
from leaven_plugins.trainers.standard.forward import Forward
from leaven_plugins.trainers.standard.full_state import PutBack, Randomness, Several, put_back, states_of
from leaven_plugins.trainers.standard.limits import limited
from leaven_plugins.trainers.standard.loop import Gear, Loop
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.nonfinite import NonFinite
from leaven_plugins.trainers.standard.precision import Precision, device_of
from leaven_plugins.trainers.standard.rates import Progress, Rates
from leaven_plugins.trainers.standard.records import latest_values
from leaven_plugins.trainers.standard.saving import Keeping, Place, Saver
from leaven_plugins.trainers.standard.sharing import Sharing, joined_world
from leaven_plugins.trainers.standard.stepping import Clipping, Stepper
from leaven_plugins.trainers.standard.under_way import Resumed

Sample = dict[str, Any]


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
            epochs done, this iteration included (whole epochs only where ``train_iter`` has no length), or with the
            steps done before this one, where the policy counts steps. ``None`` leaves the rates alone.
        val_policy: the same, once after each validation; where there are both, the other one starts from its rates.
        train_iter: data to train on.
        val_iter: data to validate on; without it there is no validation.
        outdir: where ``snapshots/`` goes; ``None`` for no snapshots.
        val_loss: loss in validation, by default ``loss``.
        val_metric: metrics in validation, by default ``metric``.
        snapshot_interval: epochs from one snapshot to the next; 0 for none.
        snapshot_steps: steps from one snapshot within an epoch to the next; 0 for none.
        keep_last: how many of the newest snapshots are kept; ``None`` for all.
        keep_best: how many of the best are kept as well.
        keep_every: those after every so many epochs are kept for good; 0 for none.
        monitor: the value that says which are best, such as ``val_loss`` or ``val_accuracy``.
        monitor_mode: whether ``min`` or ``max`` is best; ``auto`` knows by the name.
        max_steps: the run is over after so many steps of the optimizer, whatever the epoch; 0 for no limit.
        max_seconds: the run is over after so many seconds; 0 for no limit.
        limit_train: train on so many iterations of each epoch only, or, below 1, on this share of them.
        limit_val: the same for validation.
        precision: ``float32``, ``bf16`` or ``fp16`` (mixed, see
            :class:`~leaven_plugins.trainers.standard.precision.Precision`).
        accumulate: iterations for one step.
        clip_norm: limit of the norm of all gradients together.
        clip_value: limit of each value in the gradients.
        average: keep a running mean of the weights, with which validation is done: parameters of
            :class:`~leaven_plugins.optimizers.averaging.WeightAverage`, as ``{"kind": "ema", "decay": 0.999}``.
        nonfinite: what is done about a loss or gradient that is not finite: ``raise``, ``skip``, ``rollback`` or
            ``shell``, see :class:`~leaven_plugins.trainers.standard.nonfinite.NonFinite`.
        schedules: policies for other values, by name: of the optimizer's groups (``momentum``), the network or the
            loss; policies, or tables as in :func:`~leaven_plugins.policies.schedule.parse`.
        hooks: components that are attached to the trainer.
        compile: let ``torch.compile`` make the network faster, which takes its time at first.
        parallel: how several processes share the work: ``ddp`` (each has all weights) or ``fsdp`` (a part each).
        sync_batchnorm: compute the statistics of batch normalisation over all processes (CUDA only).
        logger: gets one record per epoch and phase: ``epoch, phase, *metrics, loss, lr`` (at the start of the epoch; in
            ``train`` records), ``samples, images_per_second, wait_share`` (share of the time spent waiting for data).
        about: plain data to keep in every snapshot, such as the resolved configuration.
        world: the processes that train together; by default those that the environment names.
        clock: seconds, rising.

    Attributes:
        state: what hooks see. ``epoch``, ``num_epochs``, ``iteration`` and ``step`` (of all epochs), the arguments by
            their names, ``meter`` (loss and speed of the current epoch), ``train_metric_values`` and
            ``val_metric_values`` (one dict per epoch, the mean ``loss`` among them), ``records`` (what was logged),
            ``snapshot`` (path of the last), ``skipped`` (steps left out) and ``stopped`` (why the run ended before its
            last epoch, or ``None``).

    Raises:
        ParameterError: a value is out of range.
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
        snapshot_steps: int = 0,
        keep_last: int | None = None,
        keep_best: int = 1,
        keep_every: int = 0,
        monitor: str = "val_loss",
        monitor_mode: str = "auto",
        max_steps: int = 0,
        max_seconds: float = 0.0,
        limit_train: float | None = None,
        limit_val: float | None = None,
        precision: str = "float32",
        accumulate: int = 1,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        average: Mapping[str, Any] | None = None,
        nonfinite: str = "raise",
        schedules: Mapping[str, Any] | None = None,
        hooks: Sequence[Hook] = (),
        compile: bool = False,  # noqa: A002 - what torch calls it
        parallel: str = "ddp",
        sync_batchnorm: bool = False,
        logger: Logger | None = None,
        about: Mapping[str, Any] | None = None,
        world: World | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        keeping = Keeping(snapshot_interval, snapshot_steps, keep_last, keep_best, keep_every, monitor, monitor_mode)
        device = device_of(network.parameters())  # type: ignore[attr-defined]
        self._world = joined_world(device) if world is None else world
        self._about = dict(about or {})
        self._ending = Ending(max_steps, max_seconds, clock)
        self._events = Events()
        train_iter, val_iter = limited(train_iter, limit_train), limited(val_iter, limit_val)
        self._precision = Precision(precision, device)
        self._sharing = Sharing(network, self._world, parallel, sync_batchnorm)  # type: ignore[arg-type]
        self._average = _average_of(network, average, parallel) if average else None
        self._rates = Rates(optimizer, train_policy, val_policy, schedules or {}, (optimizer, network, loss))
        self._nonfinite = NonFinite(nonfinite, self._roll_back)
        self._saver = Saver(None if outdir is None else Path(outdir), keeping, self._world)
        self.state: dict[str, Any] = {
            "epoch": 0,
            "num_epochs": 0,
            "iteration": 0,
            "step": 0,
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
            "skipped": 0,
            "stopped": None,
        }
        clipping = Clipping(clip_norm, clip_value)
        passes = self._sharing.quietly, self._sharing.exchange
        stepper = Stepper(network, optimizer, self._precision, accumulate, clipping, *passes)  # type: ignore[arg-type]
        measures = Measures(metric)
        gear = Gear(
            module=torch.compile(self._sharing.module) if compile else self._sharing.module,
            world=self._world,
            sharing=self._sharing,
            forward=Forward(self._precision),
            stepper=stepper,
            nonfinite=self._nonfinite,
            average=self._average,
            rates=self._rates,
            ending=self._ending,
            events=self._events,
            metric=measures,
            val_metric=measures if val_metric is None else Measures(val_metric),
            saver=self._saver,
            save=self.snapshot,
            clock=clock,
        )
        self._loop = Loop(self.state, gear)
        self._hooks = tuple(hooks)
        for hook in self._hooks:
            hook.attach(self)

    # ---- what users call

    def add_hook(self, event: str, function: Function) -> None:
        """Call ``function(state, **arguments)`` on each ``event``.

        Raises:
            UnknownName: there is no such event.
        """
        self._events.add(event, function)

    def remove_hook(self, event: str, function: Function) -> None:
        """Undo one :meth:`add_hook`.

        Raises:
            UnknownName: there is no such event, or the function was not added to it.
        """
        self._events.remove(event, function)

    def stop(self, reason: str) -> None:
        """Let the run end, with a snapshot, after the step or validation under way. A signal's handler may call it."""
        self._ending.ask(reason)

    def train(self, num_epochs: int, start_epoch: int = 0) -> dict[str, Any]:
        """Train epochs ``start_epoch + 1`` to ``num_epochs``; return the state.

        After :meth:`restore`, ``start_epoch`` is ``state["epoch"]``. An epoch in which an earlier call was stopped is
        gone on with only after its snapshot was restored.

        Raises:
            LeavenError: a loss that is not finite, data that is not samples, a sample that lacks a key.
            SnapshotError: a snapshot could not be written.
        """
        state = self.state
        if start_epoch != state["epoch"]:
            self._loop.begin_after(start_epoch)
        self._ending.begin()
        state.update(num_epochs=num_epochs, stopped=self._ending.after_step(state["step"], told=False))
        try:
            self._events.call("run_begin", state)
            for epoch in range(start_epoch + 1, num_epochs + 1):
                if state["stopped"]:
                    break
                self._run_epoch(epoch, num_epochs)
        except BaseException as error:
            self._log(message=f"stopped in epoch {state['epoch']}: {type(error).__name__}: {error}".rstrip(": "))
            raise
        finally:
            self._events.call("run_end", state)
        self._log(message=f"stopped: {state['stopped']}" if state["stopped"] else "finished")
        return state

    def train_epoch(self, epoch: int, num_epochs: int) -> dict[str, Any]:
        """Train epoch ``epoch`` (from 1) of ``num_epochs``; return its record."""
        self.state.update(num_epochs=num_epochs)
        return self._loop.train_epoch(epoch)

    def validate_epoch(self, epoch: int) -> dict[str, Any]:
        """Measure the network on ``val_iter`` in evaluation mode; return the record of it.

        Where a running mean of the weights is kept, it is the mean that is measured.
        """
        return self._loop.validate_epoch(epoch)

    def test(self, data: Iterable[Any]) -> dict[str, float]:
        """Return ``loss`` and the validation's metrics over some samples, without a trace in the run.

        Args:
            data: as for training.
        """
        return self._loop.test(data)

    def averaged(self) -> AbstractContextManager[Any]:
        """Return what to use the network in with the running mean of its weights, where one is kept."""
        return self._average.applied() if self._average else nullcontext()

    # ---- snapshots

    def snapshot(self, epoch: int | None = None) -> Path:
        """Write a snapshot of the run as it stands into ``outdir``; return its folder.

        Args:
            epoch: how many epochs are done; by default as the state says.

        Raises:
            SnapshotError: it cannot be written.
            LeavenError: there is no ``outdir``, or a step is under way.
        """
        if not self._saver.is_on:
            raise LeavenError("trainer standard: a snapshot needs an outdir")
        state = self.state
        if epoch is None:
            epoch = state["epoch"] - self._loop.is_within
        under_way = self._loop.under_way()
        place = Place(epoch, state["iteration"], state["step"], under_way is not None)
        parts, about = self._captured(place, under_way)
        state["snapshot"] = self._saver.save(place, parts, about, latest_values(state))
        self._events.call("snapshot", state, lambda: {"path": state["snapshot"]})
        return Path(state["snapshot"])

    def restore(self, snapshot: Snapshot) -> PutBack:
        """Go on where a snapshot was made; return which parts were put back, and which were not.

        Data that has no ``load_state_dict`` is gone through again up to the place.

        Raises:
            LeavenError: a part does not fit; the text names it.
        """
        about, state = snapshot.about, self.state
        parts = dict(snapshot.parts)
        under_way = parts.pop("under_way", None)
        found = put_back(self._pieces(), parts)
        if under_way and "data" in found.ignored:
            found.ignored["under_way"] = "the epoch begins anew, as its data does"
            under_way = None
        is_placed = "data" in found.done and hasattr(state["train_iter"], "load_state_dict")
        self._loop.resumed = Resumed(under_way["ranks"], is_placed) if under_way else None
        step = about.get("step", about["iteration"])
        state.update(epoch=int(about["epoch"]), iteration=int(about["iteration"]), step=int(step))
        self._nonfinite.count = state["skipped"] = int(about.get("skipped", 0))
        return found

    def _captured(self, place: Place, under_way: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        parts = states_of(self._pieces())
        if under_way:
            parts["under_way"] = under_way
        about = {
            "epoch": place.epoch,
            "iteration": place.iteration,
            "step": place.step,
            "skipped": self.state["skipped"],
            "values": latest_values(self.state),
            **self._about,
        }
        return parts, about

    def _pieces(self) -> dict[str, Any]:
        """Everything that changes while the run goes on."""
        state = self.state
        hooks = {str(number): hook for number, hook in enumerate(self._hooks)}
        return {
            **self._sharing.pieces(state["optimizer"]),
            "average": self._average,
            "scaler": self._precision,
            "policies": Several({name: state[name] for name in ("train_policy", "val_policy")}),
            "hooks": Several(hooks),
            "data": Several({"train_iter": state["train_iter"]}),
            "val_data": Several({"val_iter": state["val_iter"]}),
            "random": Randomness(self._world),
        }

    def _roll_back(self) -> None:
        snapshot = self._saver.last()
        if snapshot is None:
            raise LeavenError("nonfinite='rollback' needs a snapshot to go back to, and there is none yet")
        wanted = ("model", "optimizer", "average")
        with self._rates.kept():
            put_back({name: piece for name, piece in self._pieces().items() if name in wanted}, snapshot.parts)

    # ---- epochs

    def _run_epoch(self, epoch: int, num_epochs: int) -> None:
        state = self.state
        self._log(**self.train_epoch(epoch, num_epochs))
        within = self._loop.is_within
        if within and self._saver.is_on:
            self.snapshot()
        if within and state["stopped"] not in ORDINARY:
            return
        if state["val_iter"] is not None:
            record = self.validate_epoch(epoch)
            self._rates.validated(record["loss"], Progress(epoch, num_epochs, state["step"]))
            self._log(**record)
        state["stopped"] = self._ending.after_step(state["step"], self._world.any(self._ending.is_wanted()))
        due = self._saver.due_after_epoch(epoch) or self._saver.due_after_step(state["step"])
        if (due or (state["stopped"] and self._saver.is_on)) and not within:
            self.snapshot(epoch)

    def _log(self, **record: Any) -> None:
        if self.state["logger"] is not None and self._world.rank == 0:
            self.state["logger"].log(**record)


def _average_of(network: Any, parameters: Mapping[str, Any], parallel: str) -> WeightAverage:
    if parallel == "fsdp":
        raise ParameterError("average and parallel='fsdp': the mean needs all weights on each process; use 'ddp'")
    return WeightAverage(network, **parameters)
