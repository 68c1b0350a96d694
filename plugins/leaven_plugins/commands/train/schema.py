"""What may stand in the configuration of an experiment."""

from __future__ import annotations

from leaven.registry.schema import Schema, Slot
from leaven.stream.loader import TurboDataLoader

GIVEN_TO_LOADER = ("dataset", "worker", "registry", "seed", "start_iteration", "transform", "trace")

GIVEN_TO_TRAINER = (
    "network",
    "optimizer",
    "loss",
    "metric",
    "train_policy",
    "val_policy",
    "train_iter",
    "val_iter",
    "val_loss",
    "val_metric",
    "outdir",
    "schedules",
    "hooks",
    "max_steps",
    "max_seconds",
    "limit_train",
    "limit_val",
    "logger",
    "about",
    "world",
    "clock",
)

DATA: Schema = {
    "seed": Slot(types=(int,), default=0),
    "data.train": Slot(kind="dataset", required=True),
    "data.val": Slot(kind="dataset"),
    "worker": Slot(kind="worker", required=True),
    "val_worker": Slot(kind="worker"),
    "loader": Slot(signature=TurboDataLoader, exclude=GIVEN_TO_LOADER, required=True),
}
"""What feeds the network: all that showing a batch or measuring the loader needs."""

TRAINING: Schema = {
    "augmenter": Slot(kind="augmenter"),
    "model": Slot(kind="model", required=True),
    "loss": Slot(kind="loss", required=True),
    "val_loss": Slot(kind="loss"),
    "metric": Slot(kind="metric", many=True, default=()),
    "val_metric": Slot(kind="metric", many=True),
    "optimizer": Slot(kind="optimizer", required=True),
    "policy": Slot(kind="policy"),
    "val_policy": Slot(kind="policy"),
    "schedules": Slot(kind="policy", named=True),
    "hook": Slot(kind="hook", many=True, default=()),
    "trainer": Slot(kind="trainer", required=True, exclude=GIVEN_TO_TRAINER),
    "train.epochs": Slot(types=(int,)),
    "train.steps": Slot(types=(int,)),
    "train.max_seconds": Slot(types=(float,)),
    "train.device": Slot(types=(str,), default="auto"),
    "train.threads": Slot(types=(int,)),
    "train.deterministic": Slot(types=(bool,), default=False),
}
"""What is trained, and how."""

EXPERIMENT: Schema = {**DATA, **TRAINING}

UNCHECKED: Schema = {
    path: slot if slot.types else Slot(types=(str, dict), many=slot.many) for path, slot in TRAINING.items()
}
"""Room for what is trained, without a look at it: so that showing data needs no torch."""
