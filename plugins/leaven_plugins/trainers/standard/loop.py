"""Loop: what happens within an epoch of training, and of validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from math import ceil, inf
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError
from leaven_plugins.distributed.world import World
from leaven_plugins.snapshots.capture import random_state
from leaven_plugins.trainers.standard.batches import mini_batches_of, rows_of
from leaven_plugins.trainers.standard.ending import Ending
from leaven_plugins.trainers.standard.events import Events
from leaven_plugins.trainers.standard.forward import Forward, evaluating
from leaven_plugins.trainers.standard.limits import length_of
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.meter import EpochMeter
from leaven_plugins.trainers.standard.nonfinite import NonFinite
from leaven_plugins.trainers.standard.ranks import Turn, idle_loss, share_buffers, turns
from leaven_plugins.trainers.standard.rates import Progress, Rates
from leaven_plugins.trainers.standard.records import speed_of, values_measured
from leaven_plugins.trainers.standard.saving import Saver
from leaven_plugins.trainers.standard.sharing import Sharing
from leaven_plugins.trainers.standard.stepping import Stepper
from leaven_plugins.trainers.standard.under_way import Resumed, begun_again, captured, put_sums_back

Sample = dict[str, Any]


@dataclass(frozen=True)
class Gear:
    """What an epoch needs; see the modules of these names.

    ``module`` is what is called in training, ``save`` makes a snapshot.
    """

    module: Any
    world: World
    sharing: Sharing
    forward: Forward
    stepper: Stepper
    nonfinite: NonFinite
    average: Any
    rates: Rates
    ending: Ending
    events: Events
    metric: Measures
    val_metric: Measures
    saver: Saver
    save: Callable[[], object]
    clock: Callable[[], float]


class Loop:
    """Epochs, one at a time.

    Args:
        state: the trainer's.
        gear: what is needed.

    Attributes:
        resumed: the epoch that the next one of training goes on with.
    """

    def __init__(self, state: dict[str, Any], gear: Gear) -> None:
        self.resumed: Resumed | None = None
        self._state = state
        self._gear = gear
        self._meter: EpochMeter | None = None
        self._began: Any = None
        self._broken_off: dict[str, Any] | None = None
        self._samples: list[Sample] = []

    @property
    def is_within(self) -> bool:
        """Whether the epoch that the state says is not at its end: it is under way, or the run was stopped in it."""
        if self._meter is None:
            return self._broken_off is not None
        return not self._is_complete(self._meter)

    def under_way(self) -> dict[str, Any] | None:
        """Return what the epoch has added up that is not at its end, or is to go on; ``None`` between epochs.

        All ranks have to ask.

        Raises:
            LeavenError: a step is under way.
        """
        if self._meter is None:
            return self._broken_off or (self.resumed and {"ranks": list(self.resumed.ranks)})
        if self._gear.stepper.is_open:
            raise LeavenError("no snapshot within a step, whose gradients would be lost: make it on train_step")
        if not self.is_within:
            return None
        return captured(self._meter, self._gear.metric, self._began, self._gear.world)

    def begin_after(self, epochs: int) -> None:
        """Be where so many epochs are done, and nothing of the next one."""
        length = length_of(self._state["train_iter"]) or 0
        self.resumed = None
        self._state.update(epoch=epochs, iteration=epochs * length, step=epochs * self._steps_of(length))

    def train_epoch(self, epoch: int) -> dict[str, Any]:
        """Train epoch ``epoch`` (from 1); return its record."""
        state, gear = self._state, self._gear
        state["epoch"] = epoch
        resumed, self.resumed, self._broken_off = self.resumed, None, None
        gear.stepper.clear()  # an error may have left a part of a step
        self._samples = []
        self._meter = meter = self._meter_of("train", epoch)
        try:
            self._begin("train", meter, gear.metric, resumed)
            rate = state["optimizer"].param_groups[0]["lr"]
            state["network"].train()
            self._train(meter, resumed)
            if state["stopped"]:
                self._broken_off = self.under_way()
        finally:
            self._meter = None
        return self._end("train", meter, gear.metric, lr=rate)

    @torch.no_grad()
    def validate_epoch(self, epoch: int) -> dict[str, Any]:
        """Measure the network on ``val_iter`` in evaluation mode; return the record of it.

        Where a running mean of the weights is kept, it is the mean that is measured.
        """
        state, gear = self._state, self._gear
        state["epoch"] = epoch
        meter = self._meter_of("val", epoch)
        self._begin("val", meter, gear.val_metric)
        share_buffers(state["network"], gear.world)
        state["network"].eval()
        with gear.average.applied() if gear.average else nullcontext():
            for turn in turns(meter.iterate(state["val_iter"]), gear.sharing.validating, bool):
                self._validate_turn(turn, meter)
                del turn
        return self._end("val", meter, gear.val_metric)

    @torch.no_grad()
    def test(self, data: Iterable[Any]) -> dict[str, float]:
        """Return ``loss`` and the validation's metrics over some samples, without a trace in the run.

        Args:
            data: as for training.
        """
        gear = self._gear
        network, metric = self._state["network"], Measures(deepcopy(gear.val_metric.metrics))
        metric.reset()
        meter = EpochMeter("test", gear.clock, gear.nonfinite.looks)
        with evaluating(network):
            for item in meter.iterate(data):
                for sample in mini_batches_of(item):
                    _, loss = gear.forward(network, sample, self._state["val_loss"], metric)
                    meter.add(loss, rows_of(sample))
        return {**metric.compute(), "loss": meter.loss}

    def _train(self, meter: EpochMeter, resumed: Resumed | None) -> None:
        gear = self._gear
        for turn in turns(meter.iterate(self._rest(resumed)), gear.world, gear.ending.is_wanted):
            self._state["iteration"] += 1
            self._train_iteration(turn, meter)
            told = turn.stop
            del turn  # or its memory would be held while this waits for the next one
            if self._is_over(told):
                break
        if gear.stepper.is_open:
            self._step(meter)

    def _rest(self, resumed: Resumed | None) -> Iterator[Any]:
        """Return what is left of the epoch's data."""
        data = self._state["train_iter"]
        if resumed is None or resumed.is_placed:
            self._began = None if hasattr(data, "load_state_dict") else random_state()
            return iter(data)
        items, self._began = begun_again(data, resumed, self._gear.world)
        return items

    def _train_iteration(self, turn: Turn, meter: EpochMeter) -> None:
        if not turn.rows:
            return
        gear = self._gear
        gear.stepper.begin(turn.rows)
        passes = len(turn.samples) + len(turn.idle)
        for place, sample in enumerate(turn.samples, 1):
            with gear.stepper.passing(last=place == passes):
                self._train_sample(sample, meter)
        for place, sample in enumerate(turn.idle, 1 + len(turn.samples)):
            with gear.stepper.passing(last=place == passes):
                gear.stepper.backward(idle_loss(gear.module, sample), 0)
        if gear.stepper.is_due:
            self._step(meter)

    def _train_sample(self, sample: Sample, meter: EpochMeter) -> None:
        gear = self._gear
        state, rows = self._state, rows_of(sample)
        gear.events.call("train_pre_forward", state, partial(dict, sample=sample))
        output, loss = gear.forward(gear.module, sample, state["loss"], gear.metric)
        meter.add(loss, rows)
        arguments = _arguments(gear.metric, loss, output)
        gear.events.call("train_forward", state, arguments)
        gear.stepper.backward(loss, rows * gear.world.size)
        if gear.events.has("train_step"):
            self._samples.append(output)
        gear.events.call("train_backward", state, arguments)

    def _step(self, meter: EpochMeter) -> None:
        gear = self._gear
        state, looked = self._state, gear.nonfinite.looks
        samples, self._samples = self._samples, []
        if looked and gear.world.any(not gear.stepper.is_finite()):
            self._leave_out(f"{meter.name}, iteration {meter.iterations}")
            return
        gear.nonfinite.passed()
        gear.stepper.step(looked, partial(self._set_rates, meter))
        state["step"] += 1
        if gear.average is not None:
            gear.average.update()
        gear.events.call("train_step", state, partial(dict, samples=samples))
        if gear.saver.due_after_step(state["step"]) and not self._is_complete(meter):
            gear.save()

    def _leave_out(self, where: str) -> None:
        gear = self._gear
        overflow = not gear.world.any(not gear.stepper.is_overflow())
        gear.stepper.abandon()
        gear.nonfinite.found(where, self._state, overflow)
        self._state["skipped"] = gear.nonfinite.count

    def _is_complete(self, meter: EpochMeter) -> bool:
        """Return whether the epoch is at its end on all ranks, each of which may have data of another length."""
        mine = meter.iterations == length_of(self._state["train_iter"])
        return not self._gear.world.any(not mine)

    def _validate_turn(self, turn: Turn, meter: EpochMeter) -> None:
        for sample in turn.samples:
            self._validate(sample, meter)
        for sample in turn.idle:
            self._gear.sharing.module(dict(sample))

    def _validate(self, sample: Sample, meter: EpochMeter) -> None:
        state, gear = self._state, self._gear
        gear.events.call("val_pre_forward", state, partial(dict, sample=sample))
        output, loss = gear.forward(state["network"], sample, state["val_loss"], gear.val_metric)
        meter.add(loss, rows_of(sample))
        gear.events.call("val_forward", state, _arguments(gear.val_metric, loss, output))

    # ---- progress

    def _set_rates(self, meter: EpochMeter) -> None:
        state, gear = self._state, self._gear
        length = length_of(state["train_iter"])
        within = min(meter.iterations / length, 1.0) if length else 0.0
        num_epochs = state["num_epochs"]
        if gear.ending.max_steps and length:
            num_epochs = min(num_epochs, self._epochs_of(gear.ending.max_steps, length))
        gear.rates.set(Progress(state["epoch"] - 1 + within, num_epochs, state["step"], self._num_steps()))

    def _num_steps(self) -> float:
        gear = self._gear
        length = length_of(self._state["train_iter"])
        by_epochs = inf if length is None else self._state["num_epochs"] * self._steps_of(length)
        return min(by_epochs, gear.ending.max_steps or inf)

    def _steps_of(self, iterations: int) -> int:
        return ceil(iterations / self._gear.stepper.accumulate)

    def _epochs_of(self, steps: int, length: int) -> float:
        """Return how many epochs of this length there are when so many steps are done."""
        whole, rest = divmod(steps, self._steps_of(length))
        return whole + min(rest * self._gear.stepper.accumulate / length, 1.0)

    def _is_over(self, told: bool) -> bool:
        """Return whether the run ends here; never between the iterations of one step."""
        gear = self._gear
        if not gear.stepper.is_open:
            told = told or (gear.world.size == 1 and gear.ending.is_wanted())
            self._state["stopped"] = gear.ending.after_step(self._state["step"], told)
        return self._state["stopped"] is not None

    # ---- records

    def _meter_of(self, phase: str, epoch: int) -> EpochMeter:
        return EpochMeter(f"{phase} epoch {epoch}", self._gear.clock, self._gear.nonfinite.looks)

    def _begin(self, phase: str, meter: EpochMeter, metric: Measures, resumed: Resumed | None = None) -> None:
        metric.reset()
        if resumed:
            put_sums_back(resumed, meter, metric, self._gear.world)
        self._state["meter"] = meter
        self._gear.events.call(f"{phase}_begin", self._state)

    def _end(self, phase: str, meter: EpochMeter, metric: Measures, **more: Any) -> dict[str, Any]:
        gear = self._gear
        values = values_measured(meter, metric, gear.world)
        speed = speed_of(meter, gear.world)
        record = {"epoch": self._state["epoch"], "phase": phase, **values, **more, **speed}
        if self._state["skipped"] and phase == "train":
            record["skipped"] = self._state["skipped"]
        self._state[f"{phase}_metric_values"].append(values)
        self._state["records"].append(record)
        gear.events.call(f"{phase}_end", self._state)
        return record


def _arguments(metric: Measures, loss: Tensor, output: Sample) -> Callable[[], dict[str, Any]]:
    return lambda: {"metric": metric.compute(), "loss": loss.detach(), "output": output}
