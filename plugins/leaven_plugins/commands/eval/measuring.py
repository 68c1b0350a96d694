"""Measuring: a trained network's loss and metrics over some data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

from leaven.errors import LeavenError
from leaven.registry.registry import Registry
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.commands.train.data_choice import class_names, component_table, dataset_table
from leaven_plugins.commands.train.options import RunOptions
from leaven_plugins.commands.train.outfit import device_of, trainer_of
from leaven_plugins.commands.train.result import wilson_interval
from leaven_plugins.commands.train.settings import torch_settings
from leaven_plugins.commands.train.trained import Trained, feed_on
from leaven_plugins.distributed.world import World
from leaven_plugins.trainers.standard.batches import mini_batches_of, rows_of


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        images: of how many.
        values: of the metrics, and the ``loss``.
        names: of the classes, where values are by class and the data has names for these.
    """

    images: int
    values: dict[str, float]
    names: tuple[str, ...] = ()

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % confidence intervals, where one is known: of ``accuracy``, as if the images were drawn at random."""
        return {name: wilson_interval(self.values[name], self.images) for name in ("accuracy",) if name in self.values}

    @property
    def by_class(self) -> dict[str, dict[int, float]]:
        """Those values that are of one class, as ``iou_3``: name without the class -> class -> value."""
        found: dict[str, dict[int, float]] = {}
        for name, value in self.values.items():
            whole, _, number = name.rpartition("_")
            if whole in self.values and number.isdecimal():
                found.setdefault(whole, {})[int(number)] = value
        return found

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "images": self.images,
            "values": self.values,
            "intervals": self.intervals,
            "by_class": self.by_class,
            "class_names": self.names,
        }


def experiment_with(config: Mapping[str, Any], data: str, metrics: Sequence[str], registry: Registry) -> dict[str, Any]:
    """Return the configuration of an experiment that validates on other data, by further metrics, and without hooks.

    Args:
        config: of the experiment.
        data: as for :func:`~leaven_plugins.commands.train.data_choice.dataset_table`.
        metrics: specs, or tables of TOML.
        registry: where components are looked up.

    Raises:
        DatasetError: no such data.
        LookupFailed: no such component.
    """
    table = dataset_table(data, config, registry)
    slot = "val_metric" if "val_metric" in config else "metric"
    own = config.get(slot, [])
    measures = [*(own if isinstance(own, list) else [own]), *map(component_table, metrics)]
    return {**config, "data": {**config["data"], "val": table}, slot: measures, "hook": []}


def measured(trained: Trained, limit: int | None = None) -> Measured:
    """Measure a network on the experiment's validation data, in evaluation mode.

    Args:
        trained: the network.
        limit: how many images at most.

    Raises:
        LeavenError: the experiment's trainer cannot do that; whatever goes wrong with the data, as its own type.
    """
    experiment = trained.experiment
    with ExitStack() as stack:
        stack.enter_context(torch_settings(experiment))
        loader = stack.enter_context(_loader(trained, stack, limit))
        data = _Counted(loader)
        trainer = _trainer(trained, data)
        values = trainer.test(data)
    found, names = Measured(data.images, values), class_names(experiment)
    return replace(found, names=names) if len(names) in map(len, found.by_class.values()) else found


class _Counted:
    """Data that counts the images that are taken from it."""

    def __init__(self, data: Iterable[Any]) -> None:
        self.images = 0
        self._data = data

    def __iter__(self) -> Iterator[Any]:
        for item in self._data:
            self.images += sum(map(rows_of, mini_batches_of(item)))
            yield item


def _loader(trained: Trained, stack: ExitStack, limit: int | None) -> TurboDataLoader:
    experiment = trained.experiment
    workers = stack.enter_context(experiment.worker_pool())
    length = {} if limit is None else {"length": _at_most(limit, experiment.config.build("data.val"))}
    given = {"nworkers": workers, "feed": feed_on(experiment, device_of(experiment)), **length}
    loader = experiment.val_loader(**given)
    assert loader is not None, "experiment_with() has put data there"
    return loader


def _at_most(limit: int, dataset: Any) -> int:
    with closing(dataset):
        return min(limit, len(dataset)) if hasattr(dataset, "__len__") else limit


def _trainer(trained: Trained, data: Any) -> Any:
    experiment = trained.experiment
    network = trained.network.to(device_of(experiment))
    optimizer = experiment.config.build("optimizer")(network.named_parameters())
    trainer = trainer_of(
        experiment,
        RunOptions(),
        network=network,
        optimizer=optimizer,
        train_iter=(),
        val_iter=data,
        world=World(),
    )
    if not hasattr(trainer, "test"):
        kind = type(trainer).__name__
        raise LeavenError(f"{kind} has no method test(data), which measuring needs; try --set trainer.use=standard")
    return trainer
