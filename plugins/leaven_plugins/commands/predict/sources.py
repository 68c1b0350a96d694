"""What predictions are made of: files and folders of images, or a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from leaven.errors import DatasetError, ParameterError, printable
from leaven.registry.registry import Registry
from leaven_plugins.commands.train.data_choice import dataset_table
from leaven_plugins.datasets.image_files import EXTENSIONS

_PLUGIN = "leaven_plugins.commands.predict.pictures"


class Source(NamedTuple):
    """The configuration of an experiment that validates on what was named, and whether that has targets."""

    config: dict[str, Any]
    has_targets: bool


def source_of(names: Sequence[str], config: Mapping[str, Any], registry: Registry) -> Source:
    """Return an experiment's configuration with other data.

    Args:
        names: files and folders of images; or one dataset, as
            :func:`~leaven_plugins.commands.train.data_choice.dataset_table` takes it.
        config: of the experiment.
        registry: where components are looked up.

    Raises:
        DatasetError: a file does not exist, a folder has no images, or a file's name is not UTF-8.
        LookupFailed: no such component.
        ParameterError: a dataset and other data at once.
    """
    datasets = [name for name in names if not _is_pictures(name)]
    if datasets and len(names) > 1:
        raise ParameterError(f"{datasets[0]} is a dataset or does not exist; a dataset has to be the only one named")
    if datasets:
        return Source(_with_data(config, dataset_table(datasets[0], config, registry)), True)
    files = [file for name in names for file in _files_at(name)]
    _check_names(files)
    own = config.get("leaven", {})
    plugins = {**own, "plugins": [*own.get("plugins", []), _PLUGIN]}
    table = {"use": "dataset:pictures", "paths": files, **_targets_for(config.get("val_worker", config["worker"]))}
    return Source({**_with_data(config, table), "leaven": plugins}, False)


def _is_pictures(name: str) -> bool:
    return os.path.isdir(name) or (os.path.isfile(name) and _is_image(name))


def _is_image(name: str) -> bool:
    return name.lower().endswith(EXTENSIONS)


def _files_at(name: str) -> list[str]:
    if not os.path.isdir(name):
        return [name]
    files = sorted(_images_below(name))
    if not files:
        raise DatasetError(f"{name}: no images; their names end in {', '.join(EXTENSIONS)}")
    return files


def _images_below(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(place, name) for name in files if _is_image(name) and not name.startswith("."))


def _check_names(files: Sequence[str]) -> None:
    """Raise an error for names that neither a configuration nor a table of results can hold."""
    for file in files:
        try:
            file.encode()
        except UnicodeEncodeError:
            raise DatasetError(f"{printable(file, 300)}: the name is not UTF-8; rename the file") from None


def _with_data(config: Mapping[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    return {**config, "data": {**config["data"], "val": table}}


def _targets_for(worker: Any) -> dict[str, Any]:
    """Return under which keys the worker looks for targets; where it has no such parameter, the usual ones."""
    table = worker if isinstance(worker, Mapping) else {}
    if "target_image" not in table:
        return {}
    keys = table.get("target_source", "label_image")
    return {
        "mask": keys if isinstance(keys, str) else keys[0],
        "points": table.get("experiments", "experiments"),
        "upright": table.get("annotated") == "upright",
    }
