"""Reading from a configuration what a verdict has to know."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from leaven.errors import LookupFailed
from leaven.registry.parameters import parameters_of
from leaven.registry.planning import naming_key
from leaven.registry.registry import Registry
from leaven.stream.worker import Item, unpacked
from leaven_plugins.commands.bench.findings import Setup
from leaven_plugins.commands.train.experiment import Experiment

_JPEG = b"\xff\xd8\xff"


def setup_of(experiment: Experiment) -> Setup:
    """Return what can be changed in an experiment's configuration, and how it is now."""
    registry, plain = experiment.config.registry, experiment.config.plain
    values = _values(plain["worker"], registry)
    dataset = experiment.config.build("data.train")
    with closing(dataset) if hasattr(dataset, "close") else nullcontext():
        jpegs, stored = _holds_jpegs(dataset), _stored(dataset)
    return Setup(
        transport=_name(plain["loader"].get("transport", "zeromq"), "transport", registry),
        decoder=_name(values["decoder"], "decoder", registry) if "decoder" in values else "",
        turbo=_exists("turbo", "decoder", registry),
        jpegs=jpegs,
        crops=_draws(values.get("image_rng"), registry),
        stored=stored,
        gpu_augmentation=bool(values["gpu_augmentation"]) if "gpu_augmentation" in values else None,
        exact=bool(values.get("exact", False)),
        wide=_is_wide(experiment.config.build("worker")),
    )


def _values(given: str | Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """Return the worker's parameters, with their defaults."""
    table = {"use": given} if isinstance(given, str) else dict(given)
    parameters = parameters_of(registry.find(table[naming_key(table)], kind="worker").load())
    return {name: table.get(name, parameter.default) for name, parameter in parameters.items()}


def _name(given: Any, kind: str, registry: Registry) -> str:
    spec = given[naming_key(given)] if isinstance(given, Mapping) else given
    return registry.find(spec, kind=kind).name if isinstance(spec, str) else type(spec).__name__


def _draws(rng: Any, registry: Registry) -> bool:
    return rng is not None and _name(rng, "rng", registry) != "none"


def _exists(name: str, kind: str, registry: Registry) -> bool:
    try:
        registry.find(name, kind=kind)
    except LookupFailed:
        return False
    return True


def _holds_jpegs(dataset: Any) -> bool:
    """Return whether the first sample has one; of what has no positions that is not known."""
    if not hasattr(dataset, "sample"):
        return False
    try:
        values = unpacked(Item(0, 0, "", dataset.sample(0))).values()
    except Exception:  # the loader has told, or has left it out
        return False
    return any(isinstance(value, bytes) and value.startswith(_JPEG) for value in values)


def _stored(dataset: Any) -> str:
    path = getattr(dataset, "path", None)
    if not isinstance(path, (str, Path)) or not Path(path).exists():
        return ""
    return "folder" if Path(path).is_dir() else "file"


def _is_wide(worker: Any) -> bool:
    spec = getattr(worker, "buffers", {}).get("image")
    return spec is not None and spec.dtype.itemsize > 1
