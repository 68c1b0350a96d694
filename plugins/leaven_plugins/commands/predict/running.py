"""Running: a trained network over its experiment's validation data, whose broken samples are told and passed over."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leaven.protocols import Dataset
from leaven.stream.quarantine import read_quarantine
from leaven_plugins.commands.predict.album import Album
from leaven_plugins.commands.predict.outputs import Seen, seen
from leaven_plugins.commands.predict.results import Result, results_of
from leaven_plugins.commands.train.data_choice import class_names
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.outfit import device_of
from leaven_plugins.commands.train.settings import torch_settings
from leaven_plugins.commands.train.trained import Trained, feed_on
from leaven_plugins.trainers.standard.precision import Precision

_TOLD_HERE = ("its row is left empty", "samples of this epoch failed")


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        kind: of predictions, as in :class:`~leaven_plugins.commands.predict.outputs.Predicted`.
        results: one for each image.
        failed: ``key`` and ``error`` of each sample of which nothing could be made.
    """

    kind: str = ""
    results: list[Result] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)


def predict_all(trained: Trained, has_targets: bool, top: int, folder: Path | None) -> Outcome:
    """Predict everything in the experiment's validation data.

    Args:
        trained: the network.
        has_targets: whether that has targets.
        top: how many classes are told, the most probable ones.
        folder: where pictures go; ``None`` for none.

    Raises:
        LeavenError: the data cannot be read, or the output is nothing that can be shown.
    """
    experiment, outcome = trained.experiment, Outcome()
    dataset: Dataset = experiment.config.build("data.val")
    names = class_names(experiment)
    album = None if folder is None else Album(folder, names, has_targets)
    with closing(dataset), tempfile.TemporaryDirectory() as scratch:
        quarantine = Path(scratch) / "failed.jsonl"
        with closing(_seen(trained, len(dataset), quarantine)) as parts:
            for rows in parts:
                outcome.kind = rows.predicted.kind
                keys = [str(dataset.key(position)) for position in rows.positions]
                outcome.results += results_of(rows, keys, names, top, has_targets)
                if album:
                    album.add(rows, keys)
        if album:
            album.close(trained.name)
        outcome.failed = [{"key": listed.key, "error": listed.error} for listed in read_quarantine(quarantine)]
    return outcome


def _seen(trained: Trained, count: int, quarantine: Path) -> Generator[Seen, None, None]:
    experiment, device = trained.experiment, device_of(trained.experiment)
    given: dict[str, Any] = {"on_error": "skip", "max_errors": count, "quarantine": quarantine}
    with ExitStack() as stack:
        stack.enter_context(torch_settings(experiment))
        stack.enter_context(_told_once())
        workers = stack.enter_context(experiment.worker_pool())
        loader = experiment.val_loader(nworkers=workers, feed=feed_on(experiment, device), **given)
        assert loader is not None, "source_of() has put data there"
        network = trained.network.to(device)
        setting = Precision(_precision(experiment), device).forward
        yield from seen(network, stack.enter_context(loader), _is_independent(experiment), setting)


def _precision(experiment: Experiment) -> str:
    trainer = experiment.config.plain["trainer"]
    return str(trainer.get("precision", "float32")) if isinstance(trainer, Mapping) else "float32"


def _is_independent(experiment: Experiment) -> bool:
    """Return whether an image may be of several classes: whether it was trained by a loss for each by itself."""
    loss = experiment.config.plain["loss"]
    spec = loss if isinstance(loss, str) else str(loss.get("use", ""))
    return spec.rpartition(":")[2].rpartition("/")[2] == "bce"


@contextmanager
def _told_once() -> Iterator[None]:
    """Keep the loader from logging which samples failed: this is told at the end."""
    logger = logging.getLogger("leaven.loader")
    logger.addFilter(_is_news)
    try:
        yield
    finally:
        logger.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not any(text in message for text in _TOLD_HERE)
