"""Paths in a configuration: relative ones start at its own folder, so that it can be used from anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from leaven.errors import LeavenError
from leaven.registry.parameters import parameters_of
from leaven.registry.planning import naming_key
from leaven.registry.registry import Registry
from leaven.registry.sources import is_file


def anchor_plugins(table: dict[str, Any], folder: str) -> None:
    """Make the plugin files of the ``[leaven]`` table absolute."""
    own = table.get("leaven")
    if isinstance(own, dict) and isinstance(own.get("plugins"), list):
        own["plugins"] = [
            os.path.join(folder, name) if isinstance(name, str) and is_file(name) else name for name in own["plugins"]
        ]


def anchor_datasets(table: dict[str, Any], folder: str, registry: Registry) -> None:
    """Make the paths in the tables of ``[data]`` absolute: parameters that are annotated with ``Path``."""
    data = table.get("data")
    if isinstance(data, dict):
        for name, part in data.items():
            data[name] = _anchored(part, folder, registry)


def _anchored(part: Any, folder: str, registry: Registry) -> Any:
    if isinstance(part, list):
        return [_anchored(inner, folder, registry) for inner in part]
    if not isinstance(part, Mapping):
        return part
    paths = _path_parameters(part.get(naming_key(part)), registry)
    return {
        name: os.path.join(folder, os.path.expanduser(value))
        if name in paths and isinstance(value, str) and "://" not in value
        else _anchored(value, folder, registry)
        for name, value in part.items()
    }


def _path_parameters(spec: Any, registry: Registry) -> set[str]:
    if not isinstance(spec, str):
        return set()
    for kind in ("dataset", "cache"):
        try:
            parameters = parameters_of(registry.find(spec, kind=kind).load())
        except LeavenError:  # said with the path of the table when the whole configuration is checked
            continue
        return {name for name, parameter in parameters.items() if "Path" in parameter.annotation}
    return set()
