"""Loop: what happens within an epoch of training, and of validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import ceil, inf
from typing import Any

import torch
from torch import Tensor

from leaven_plugins.distributed.world import World
from leaven_plugins.trainers.standard.batches import mini_batches_of, rows_of
from leaven_plugins.trainers.standard.ending import Ending
from leaven_plugins.trainers.standard.events import Events
from leaven_plugins.trainers.standard.forward import Forward
from leaven_plugins.trainers.standard.limits import length_of
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.meter import EpochMeter
from leaven_plugins.trainers.standard.nonfinite import NonFinite
from leaven_plugins.trainers.standard.ranks import Turn, idle, share_buffers, turns
from leaven_plugins.trainers.standard.rates import Progress, Rates
from leaven_plugins.trainers.standard.records import speed_of, values_measured
from leaven_plugins.trainers.standard.saving import Saver
from leaven_plugins.trainers.standard.sharing import Sharing
from leaven_plugins.trainers.standard.stepping import Stepper

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
        under_way: what an epoch has added up that is not at its end: where a run was stopped, or is to go on.
    """

    def __init__(self, state: dict[str, Any], gear: Gear) -> None:
        self.under_way: dict[str, Any] | None = None
        self._state = state
        self._gear = gear

    def train_epoch(self, epoch: int) -> dict[str, Any]:
        """Train epoch ``epoch`` (from 1); return its record."""
        state, gear = self._state, self._gear
        state["epoch"] = epoch
        resumed, self.under_way = self.under_way, None
        meter = self._begin("train", epoch, gear.metric, resumed)
        rate = state["optimizer"].param_groups[0]["lr"]
        state["network"].train()
        for turn in turns(meter.iterate(self._rest(resumed)), gear.world, gear.ending.is_wanted):
            state["iteration"] += 1
            self._train_iteration(turn, meter)
            if self._is_over(turn.stop):
                break
        if gear.stepper.is_open:
            self._step(meter)
        if state["stopped"] and not self._is_complete(meter):
            self._keep(meter)
        return self._end("train", meter, gear.metric, lr=rate)

    @torch.no_grad()
    def validate_epoch(self, epoch: int) -> dict[str, Any]:
        """Measure the network on ``val_iter`` in evaluation mode; return the record of it.

        Where a running mean of the weights is kept, it is the mean that is measured.
        """
        state, gear = self._state, self._gear
        state["epoch"] = epoch
        meter = self._begin("val", epoch, gear.val_metric)
        share_buffers(state["network"], gear.world)
        state["network"].eval()
        with gear.average.applied() if gear.average else nullcontext():
            for turn in turns(meter.iterate(state["val_iter"]), gear.sharing.validating, bool):
                for sample in turn.samples or gear.sharing.spares(turn.spare):
                    self._validate(sample, meter, counts=bool(turn.samples))
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
        training = network.training
        network.eval()
        try:
            for item in meter.iterate(data):
                for sample in mini_batches_of(item):
                    _, loss = gear.forward(network, sample, self._state["val_loss"], metric)
                    meter.add(loss, rows_of(sample))
        finally:
            network.train(training)
        return {**metric.compute(), "loss": meter.loss}

    def _rest(self, resumed: Mapping[str, Any] | None) -> Iterator[Any]:
        """Return what is left of the epoch's data."""
        data = self._state["train_iter"]
        if resumed is None or hasattr(data, "load_state_dict"):
            return iter(data)
        return islice(iter(data), resumed["meter"]["iterations"], None)

    def _train_iteration(self, turn: Turn, meter: EpochMeter) -> None:
        if not turn.rows:
            return
        gear = self._gear
        gear.stepper.begin(turn.rows)
        for place, sample in enumerate(turn.samples, 1):
            with gear.stepper.passing(last=place == len(turn.samples)):
                self._train_sample(sample, meter)
        if not turn.samples and turn.spare is not None and gear.stepper.is_due:
            with gear.stepper.passing(last=True):
                gear.stepper.backward(idle(gear.module, turn.spare), turn.spare, 0)
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
        gear.stepper.backward(loss, output, rows * gear.world.size)
        gear.events.call("train_backward", state, arguments)

    def _step(self, meter: EpochMeter) -> None:
        gear = self._gear
        state, looked = self._state, gear.nonfinite.looks
        samples = gear.stepper.samples
        if looked and gear.world.any(not gear.stepper.is_finite()):
            gear.stepper.abandon()
            gear.nonfinite.found(f"{meter.name}, iteration {meter.iterations}", state)
            state["skipped"] = gear.nonfinite.count
            return
        gear.nonfinite.passed()
        gear.stepper.step(looked, partial(self._set_rates, meter))
        state["step"] += 1
        if gear.average is not None:
            gear.average.update()
        gear.events.call("train_step", state, partial(dict, samples=samples))
        if gear.saver.due_after_step(state["step"]) and not self._is_complete(meter):
            self._keep(meter)
            gear.save()
            self.under_way = None

    def _keep(self, meter: EpochMeter) -> None:
        self.under_way = {"meter": meter.state_dict(), "metrics": self._gear.metric.state_dict()}

    def _is_complete(self, meter: EpochMeter) -> bool:
        return meter.iterations == length_of(self._state["train_iter"])

    def _validate(self, sample: Sample, meter: EpochMeter, counts: bool) -> None:
        state, gear = self._state, self._gear
        if not counts:
            gear.sharing.module(sample)
            return
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
            num_epochs = min(num_epochs, self._num_steps() * gear.stepper.accumulate / length)
        gear.rates.set(Progress(state["epoch"] - 1 + within, num_epochs, state["step"], self._num_steps()))

    def _num_steps(self) -> float:
        gear = self._gear
        length = length_of(self._state["train_iter"])
        by_epochs = inf if length is None else self._state["num_epochs"] * ceil(length / gear.stepper.accumulate)
        return min(by_epochs, gear.ending.max_steps or inf)

    def _is_over(self, told: bool) -> bool:
        """Return whether the run ends here; never between the iterations of one step."""
        gear = self._gear
        if not gear.stepper.is_open:
            told = told or (gear.world.size == 1 and gear.ending.is_wanted())
            self._state["stopped"] = gear.ending.after_step(self._state["step"], told)
        return self._state["stopped"] is not None

    # ---- records

    def _begin(self, phase: str, epoch: int, metric: Measures, resumed: Mapping[str, Any] | None = None) -> EpochMeter:
        gear = self._gear
        metric.reset()
        meter = EpochMeter(f"{phase} epoch {epoch}", gear.clock, gear.nonfinite.looks)
        if resumed:
            meter.load_state_dict(resumed["meter"])
            metric.load_state_dict(resumed["metrics"])
        self._state["meter"] = meter
        gear.events.call(f"{phase}_begin", self._state)
        return meter

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
