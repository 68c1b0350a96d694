"""Records: what is told of an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from leaven_plugins.distributed.metrics import merged
from leaven_plugins.distributed.world import World
from leaven_plugins.trainers.standard.measures import Measures, values_of
from leaven_plugins.trainers.standard.meter import EpochMeter


def values_measured(meter: EpochMeter, metric: Measures, world: World) -> dict[str, float]:
    """Return the metrics' values and the mean ``loss`` of what all processes have seen."""
    loss_sum, loss_rows, _ = meter.totals()
    if world.size > 1:
        loss_sum, loss_rows = world.sum(torch.tensor([loss_sum, loss_rows], dtype=torch.float64)).tolist()
    measured = values_of([merged(part, world) for part in metric.metrics])
    return {**measured, "loss": loss_sum / loss_rows if loss_rows else float("nan")}


def speed_of(meter: EpochMeter, world: World) -> dict[str, Any]:
    """Return ``samples`` and ``images_per_second`` of all processes, and this one's ``wait_share``."""
    samples, speed = meter.samples, meter.images_per_second
    if world.size > 1:
        total, speed = world.sum(torch.tensor([samples, speed], dtype=torch.float64)).tolist()
        samples = int(total)
    return {"samples": samples, "images_per_second": speed, "wait_share": meter.wait_share}


def latest_values(state: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the values of the last epoch, by phase."""
    kept = {"train": state["train_metric_values"], "val": state["val_metric_values"]}
    return {phase: values[-1] for phase, values in kept.items() if values}
