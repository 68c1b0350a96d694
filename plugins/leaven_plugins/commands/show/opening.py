"""From what was named on the command line, a configuration or a dataset, to an experiment that can be shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import DecodeError, ParameterError
from leaven.protocols import Dataset, Decoder, Sampler
from leaven.registry.opening import locate
from leaven.registry.registry import Registry
from leaven.registry.toml import to_toml
from leaven.stream.order import Order
from leaven_plugins.commands.show.batches import Names
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.datasets.reading import read_sample

_SIDE = 224
_BATCH = 16
_MOST_FRAMES = 8

Size = tuple[int, int]


class Opened(NamedTuple):
    """An experiment, what to call it, and whether its images are those of a configuration or the dataset's own."""

    experiment: Experiment
    name: str
    configured: bool


def opened(source: str, registry: Registry, overrides: Iterable[str] = (), size: Size | None = None) -> Opened:
    """Return the experiment that is meant.

    Args:
        source: a TOML file; or a dataset, as :func:`~leaven.registry.opening.open_dataset` takes it, which
            is shown as it is: by the worker that its first sample's keys suggest, whole images, not augmented.
        registry: where components are looked up.
        overrides: values that win, as ``"worker.image_rng=mixture"``.
        size: height and width of a dataset's images; by default 224 x 224, or less where its first one is smaller.

    Raises:
        ParameterError: ``size`` was given for a configuration, which has its own.
        ConfigError: all that is wrong in the configuration.
        DatasetError: the dataset cannot be opened or has no samples.
        LookupFailed: no such component.
    """
    if source.lower().endswith(".toml"):
        if size is not None:
            raise ParameterError(f"{source} says how large images are; to change it: --set worker.image.shape=[3,H,W]")
        experiment = Experiment(Path(source), registry, overrides, training=False)
        return Opened(experiment, experiment.name, True)
    table = _table_for(source, registry, size)
    return Opened(Experiment(to_toml(table), registry, overrides, training=False), Path(source).name, False)


def names_in(experiment: Experiment, count: int) -> Names:
    """Return the keys of the first ``count`` samples that the loader takes, and the names of the classes."""
    dataset: Dataset = experiment.config.build("data.train")
    loader = experiment.config.plain["loader"]
    named = loader.get("sampler") or ("shuffle" if loader.get("shuffle") else "sequential")
    sampler: Sampler = experiment.config.registry.create(named, kind="sampler")
    with closing(dataset):
        order = Order.of(sampler, dataset, experiment.seed) if len(dataset) else None
        indices = order.cells(0, count).indices.tolist() if order else []
        classes = getattr(dataset, "class_names", None) or getattr(dataset, "classes", None) or ()
        return Names([dataset.key(index) for index in indices], [str(name) for name in classes])


def worker_for(sample: Mapping[str, Any], decoder: Decoder, size: Size | None) -> dict[str, Any]:
    """Return the table of a worker that shows a sample like this one as it is.

    A list of images is a sequence, ``target_image`` or ``label_image`` is for segmentation, ``experiments`` for
    saliency, ``label`` for classification; otherwise there is only the image.
    """
    source = sample.get("image")
    frames = list(source[:_MOST_FRAMES]) if isinstance(source, (list, tuple)) else []
    channels, (height, width) = _form(frames[0] if frames else source, decoder, size)
    shape = [*([len(frames)] if frames else []), channels, height, width]
    image = {"shape": shape, "dtype": "uint8", "fill": 255}
    table: dict[str, Any] = {"image": image, "image_params": {"scale_mode": "longest"}}
    if frames:
        return {"use": "sequence", **table}
    if "target_image" in sample or "label_image" in sample:
        target = {"shape": [height, width], "dtype": "uint8"}
        return {"use": "segmentation", **table, "target_image": target}
    if "experiments" in sample:
        target = {"shape": [height, width], "dtype": "float32"}
        return {"use": "saliency", **table, "target_image": target}
    return {"use": "classification" if "label" in sample else "image", **table}


def _table_for(source: str, registry: Registry, size: Size | None) -> dict[str, Any]:
    offer, params = locate(source, registry)
    if "path" in params:
        params["path"] = os.path.abspath(params["path"])
    dataset: Dataset = registry.create(offer.qualified, **params)
    with closing(dataset):
        if not len(dataset):
            raise ParameterError(f"{source}: the dataset is empty")
        sample = read_sample(dataset, 0).fields
    return {
        "data": {"train": {"use": offer.qualified, **params}},
        "loader": {"batch_size": _BATCH, "nworkers": 0},
        "worker": worker_for(sample, registry.create("decoder:opencv"), size),
    }


def _form(image: Any, decoder: Decoder, size: Size | None) -> tuple[int, Size]:
    """Return number of channels and size in which to show images like this one."""
    try:
        info = decoder.info(image)
    except DecodeError:  # told by the worker, which knows the sample's name; there may be other ones
        return 3, size or (_SIDE, _SIDE)
    side = min(_SIDE, max(info.height, info.width))
    return 1 if info.channels == 1 else 3, size or (side, side)
