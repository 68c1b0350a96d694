"""Data named on the command line, and what its classes are called."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from leaven.errors import DatasetError, LeavenError, ParameterError, listing
from leaven.protocols import Dataset
from leaven.registry.config import registry_for
from leaven.registry.opening import locate
from leaven.registry.registry import Registry
from leaven.registry.toml import value_of
from leaven_plugins.commands.train.experiment import Experiment


def component_table(text: str) -> Any:
    """Return what the command line says of a component: a spec, or a table as ``{ use = "iou", classes = 3 }``.

    Raises:
        ParameterError: it begins as a table, and is none.
    """
    value = value_of(text)
    if text.lstrip().startswith("{") and not isinstance(value, Mapping):
        raise ParameterError(f'{text}: not a table in the form of TOML, such as {{ use = "folder", path = "images" }}')
    return value if isinstance(value, Mapping) else text


def dataset_table(text: str, config: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """Return the table of the dataset that is meant.

    Args:
        text: ``val`` or ``train`` of the experiment; a table of TOML; or what
            :func:`~leaven.registry.opening.locate` takes.
        config: of the experiment.
        registry: where components are looked up.

    Raises:
        DatasetError: the experiment has no such data; no such file, or no component for it.
        LookupFailed: no such component.
        ParameterError: it begins as a table, and is none.
    """
    known = config.get("data", {})
    if text in known:
        table = known[text]
        return {"use": table} if isinstance(table, str) else dict(table)
    if text in ("val", "train"):
        raise DatasetError(f"the experiment has no data.{text}; it has: {listing(known)}; or name a dataset")
    given = component_table(text)
    if isinstance(given, Mapping):
        return dict(given)
    offer, params = locate(text, registry_for(config, "", registry))
    return {"use": offer.qualified, **params}


def class_names(experiment: Experiment) -> tuple[str, ...]:
    """Return the names of the classes where the experiment's training data is here and has any; else none."""
    try:
        dataset: Dataset = experiment.config.build("data.train")
        with closing(dataset):
            names = getattr(dataset, "class_names", None) or getattr(dataset, "classes", None)
    except LeavenError:  # the data may be elsewhere by now
        return ()
    return tuple(map(str, names or ()))
