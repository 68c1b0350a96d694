"""Golden runs of the original's trainer: the same events, policy calls, values, weights and snapshots."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.models.unpacker import Unpacker
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.trainers.standard.events import EVENTS
from leaven_plugins.trainers.standard.trainer import Trainer

OWN_EVENTS = {"run_begin", "train_step", "snapshot", "run_end"}  # which the original has not


class _Asked:
    """A policy that writes down what it is asked, and the loss at that time."""

    def __init__(self, name: str, calls: list[Any], state: dict[str, Any]) -> None:
        self._name, self._calls, self._state = name, calls, state

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        meter = self._state["trainer"].state["meter"]
        self._calls.append([self._name, epoch, meter.loss])
        return base


class _Kept:
    """A logger that keeps the records."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def log(self, **fields: Any) -> None:
        self.records.append(fields)

    def close(self) -> None:
        pass


def _seen(events: list[Any], event: str, state: dict[str, Any], **more: Any) -> None:
    events.append([event, state["epoch"], sorted(more)])


def _data(x: Any, y: Any, parts: int) -> list[Any]:
    samples = [{"image": torch.tensor(a), "label": torch.tensor(b)} for a, b in zip(x, y, strict=True)]
    return [(start, samples[start : start + parts]) for start in range(0, len(samples), parts)]


def _trainer(args: dict[str, Any], root: Path) -> dict[str, Any]:
    layer = torch.nn.Linear(5, 3)
    layer.load_state_dict({"weight": torch.tensor(args["w0"]), "bias": torch.tensor(args["b0"])})
    rate = float(args["optimizer"].partition("lr=")[2].partition(",")[0])
    calls: list[Any] = []
    events: list[Any] = []
    later: dict[str, Any] = {}
    logger = _Kept()
    with tempfile.TemporaryDirectory() as folder:
        trainer = later["trainer"] = Trainer(
            Unpacker(layer),
            torch.optim.SGD(layer.parameters(), lr=rate, momentum=0.9),
            CrossEntropy(),
            Accuracy(),
            train_policy=_Asked("train", calls, later),
            val_policy=_Asked("val", calls, later),
            train_iter=_data(args["train_x"], args["train_y"], args["num_mini_batches"]),
            val_iter=_data(args["val_x"], args["val_y"], 1),
            outdir=folder,
            snapshot_interval=args["snapshot_interval"],
            keep_best=0,
            logger=logger,
        )
        for event in [event for event in EVENTS if event not in OWN_EVENTS]:
            trainer.add_hook(event, partial(_seen, events, event))
        state = trainer.train(args["epochs"])
        saved = sorted((Path(folder) / "snapshots").iterdir())
        snapshot = load_snapshot(saved[-1])
    return {
        "events": events,
        "policy_calls": calls,
        "log_lines": [line for record in logger.records for line in _lines(record)],
        "snapshots": [f"epoch_{int(path.name[6:]):02}.pth" for path in saved],
        "snapshot_fields": {
            "iteration": snapshot.about["iteration"],
            "model_state": type(OrderedDict(snapshot.parts["model"])).__name__,
            "optimizer_state": type(snapshot.parts["optimizer"]).__name__,
        },
        "final_w": layer.weight.detach().numpy(),
        "final_b": layer.bias.detach().numpy(),
        "state_keys": sorted({*state, "quiet"} & _STATE),  # ours is always quiet
        **{f"{phase}_metric_values": list(map(_named, state[f"{phase}_metric_values"])) for phase in ("train", "val")},
    }


_STATE = {
    *("epoch", "loss", "metric", "network", "optimizer", "outdir", "quiet", "snapshot_interval", "train_iter"),
    *("train_metric_values", "train_policy", "val_iter", "val_loss", "val_metric", "val_metric_values", "val_policy"),
}


def _lines(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the original's lines of what is one record here."""
    stamp = {"timestamp": "<utc iso>+0"}
    if "message" in record:
        return [{**stamp, "msg": f"{record['message'].capitalize()}!"}]
    values = _named({"accuracy": record["accuracy"], "loss": record["loss"]})
    line = {**stamp, "epoch": record["epoch"], "phase": record["phase"], "metrics": values}
    if record["phase"] == "val":
        return [line]
    return [{**stamp, "epoch": record["epoch"], "lrs": [record["lr"]]}, line]


def _named(values: dict[str, float]) -> dict[str, float]:
    return {"top-1 acc": values["accuracy"], "loss": values["loss"]}


ADAPTERS = {"trainer_dash:trainer": _trainer}
