"""Experiment: a configuration file as loaders, and as what is trained with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from leaven.errors import ConfigError, DatasetError, ParameterError
from leaven.registry.config import Config, load_config, registry_for
from leaven.registry.parameters import parameters_of
from leaven.registry.planning import naming_key
from leaven.registry.registry import Registry
from leaven.registry.toml import read_toml
from leaven.stream.loader import TurboDataLoader
from leaven.stream.pool import WorkerPool
from leaven_plugins.commands.train.paths import anchor_datasets, anchor_plugins
from leaven_plugins.commands.train.schema import DATA, EXPERIMENT, UNCHECKED

_OF_POOL = ("nworkers", "transport", "max_restarts", "worker_timeout")


class Experiment:
    """An experiment whose names are checked, and of which nothing is built yet.

    Relative paths of datasets and plugins start at the file's folder, those of overrides at the working folder.

    Args:
        path: the TOML file.
        registry: where names are looked up; the file's ``[leaven]`` table extends it.
        overrides: values that win over the file's, as ``"loader.nworkers=2"``.
        training: check and allow what is trained, too; without it torch is not needed.

    Attributes:
        config: the checked configuration.
        name: the file's name without suffix.

    Raises:
        ConfigError: all that is wrong, each with its path.
        MissingPackageError: nothing is wrong, but a component needs a package that is not installed.
    """

    def __init__(
        self, path: str | os.PathLike[str], registry: Registry, overrides: Iterable[str] = (), training: bool = True
    ) -> None:
        table, source = read_toml(os.fspath(path))
        folder = os.path.dirname(os.path.abspath(source))
        _choose_trainer(table)
        anchor_plugins(table, folder)
        anchor_datasets(table, folder, registry_for(table, source, registry))
        try:
            self.config: Config = load_config(
                table, EXPERIMENT if training else {**DATA, **UNCHECKED}, registry, overrides
            )
        except ConfigError as error:
            raise ConfigError(error.problems, source) from error
        self.name = Path(source).stem
        self._training = training
        if training:
            _check_augmentation(self.config)

    @property
    def seed(self) -> int:
        """The seed of everything that is random."""
        seed: int = self.config.build("seed")
        return seed

    def resolved(self) -> dict[str, Any]:
        """Return the whole configuration as plain data, with absolute paths: the same experiment, wherever it lies."""
        table = deepcopy(self.config.plain)
        anchor_plugins(table, os.getcwd())
        anchor_datasets(table, os.getcwd(), self.config.registry)
        return table

    def worker_pool(self) -> WorkerPool:
        """Return workers that loaders of this experiment can share, as ``[loader]`` asks for.

        Raises:
            ConfigError: a value is out of range.
        """
        table = self.config.plain["loader"]
        asked = {name: table[name] for name in _OF_POOL if name in table}
        try:
            return WorkerPool(**asked, registry=self.config.registry)
        except ParameterError as error:
            raise ConfigError(f"loader: {error}", self.config.source) from error

    def train_loader(self, worker: Any = None, **given: Any) -> TurboDataLoader:
        """Return a loader of the training data; ``given`` wins over the ``[loader]`` table.

        Args:
            worker: in the place of ``[worker]``.
            **given: parameters of the loader.

        Raises:
            DatasetError: the dataset cannot be opened; for a missing file the text says how to make it.
        """
        return self._loader("data.train", self.config.build("worker") if worker is None else worker, given)

    def val_loader(self, **given: Any) -> TurboDataLoader | None:
        """Return a loader of the validation data, in order, all of it, not augmented; ``None`` where there is none.

        The worker is ``[val_worker]`` or, where that is missing, ``[worker]`` with all of its RNGs set to ``none``.
        Of collators that have a method ``without_chance``, what that returns is used.

        Raises:
            DatasetError: as for :meth:`train_loader`.
        """
        if "data.val" not in self.config:
            return None
        worker = self.config.build("val_worker") if "val_worker" in self.config else self._worker_without_chance()
        order = {"shuffle": False, "sampler": None, "length": None, "endless": False, "last_batch": "keep"}
        still = {**order, "collators": self._collators_without_chance(), **self._finishing()}
        return self._loader("data.val", worker, {**still, **given})

    def _loader(self, data: str, worker: Any, given: Mapping[str, Any]) -> TurboDataLoader:
        dataset = self.config.build(data)
        try:
            loader: TurboDataLoader = self.config.build(
                "loader", dataset=dataset, worker=worker, registry=self.config.registry, seed=self.seed, **given
            )
        except DatasetError as error:
            raise _with_advice(error, data, dataset) from error
        return loader

    def _finishing(self) -> dict[str, Any]:
        """Return what brings validation images into the form that the augmenter leaves training images in."""
        if not self._training or "augmenter" not in self.config:
            return {}
        augmenter = self.config.build("augmenter")
        return {"transform": augmenter.eval() if hasattr(augmenter, "eval") else augmenter}

    def _worker_without_chance(self) -> Any:
        table = self.config.plain["worker"]
        table = {"use": table} if isinstance(table, str) else dict(table)
        parameters = parameters_of(self.config.registry.find(table[naming_key(table)], kind="worker").load())
        still = {name: "none" for name, parameter in parameters.items() if parameter.kind == "rng"}
        return self.config.registry.create({**table, **still}, kind="worker")

    def _collators_without_chance(self) -> list[Any]:
        given = self.config.plain["loader"].get("collators", [])
        made = [
            self.config.registry.create(collator, kind="collator")
            for collator in (given if isinstance(given, list) else [given])
        ]
        return [collator.without_chance() if hasattr(collator, "without_chance") else collator for collator in made]


def _choose_trainer(table: dict[str, Any]) -> None:
    """Name the standard trainer where none is named, so that its parameters can be set nevertheless."""
    trainer = table.setdefault("trainer", {})
    if isinstance(trainer, dict):
        trainer.setdefault("use", "standard")


def _check_augmentation(config: Config) -> None:
    """Refuse a worker that leaves its ops to a device where there is nothing that does them."""
    worker = config.plain["worker"]
    if isinstance(worker, Mapping) and worker.get("gpu_augmentation") and "augmenter" not in config:
        raise ConfigError("worker.gpu_augmentation: nothing does the ops then: add an [augmenter]", config.source)


def _with_advice(error: DatasetError, data: str, dataset: Any) -> DatasetError:
    path = getattr(dataset, "path", None)
    if path is None or Path(path).exists():
        return error
    return DatasetError(f"{data}: {error}\n  to make it: leaven data pack SOURCE {path}")
