"""What a dataset's samples are found by in a cache: the same in every process, another one once its files change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from leaven.errors import ProtocolError, RecipeError
from leaven.registry.recipes import Recipe, recipe_of
from leaven.stream import wire


def name_of(dataset: Any) -> str:
    """Return the name of a dataset: of its recipe, its length, and place, size and time of the files that it reads.

    A dataset that no other process can make has a name that nothing else has.
    """
    try:
        recipe = recipe_of(dataset)
        content = [recipe.to_plain(), len(dataset), [_described(path) for path in _paths(recipe)]]
        return blake2b(wire.pack(content), digest_size=16).hexdigest()
    except (RecipeError, ProtocolError):
        return uuid4().hex


def _paths(value: Any, name: str = "") -> Iterator[str]:
    """Yield what is given under ``path``, by this dataset and by those within it."""
    if isinstance(value, Recipe):
        value = value.params
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _paths(part, str(key))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _paths(part, name)
    elif isinstance(value, str) and name == "path":
        yield value


def _described(path: str) -> list[str | int]:
    place = os.path.abspath(path)
    try:
        status = os.stat(place)
    except OSError:
        return [place]
    return [place, status.st_size, status.st_mtime_ns]
