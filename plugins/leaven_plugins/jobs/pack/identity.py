"""What tells whether two packings would give the same: a digest of the settings, and of what they are applied to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from leaven import __version__
from leaven.errors import RecipeError
from leaven.registry.recipes import Recipe, recipe_of
from leaven.stream.wire import pack

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven_plugins.jobs.pack.job import Packing


def digest_of(packing: Packing, format: str, options: Mapping[str, Any]) -> str | None:  # noqa: A002
    """Return a digest of a packing, and of the files that its dataset names, by their size and time.

    Of a folder, the keys count: a file in it whose content has changed is not noticed. ``None``: no other process could
    make the same dataset, so that nothing can be known of it.
    """
    recipe = _recipe(packing.dataset)
    if recipe is None:
        return None
    names = [field.name for field in fields(packing) if field.name not in ("dataset", "block")]
    settings = {name: getattr(packing, name) for name in names}  # the size of blocks makes no difference in the end
    paths = sorted(set(_paths(recipe)))
    stamps = [[path, *_stamp(path)] for path in paths]
    keys = _keys(packing.dataset) if any(map(os.path.isdir, paths)) else len(packing.dataset)
    about = [__version__, cv2.__version__, format, dict(options), settings, recipe.to_plain(), stamps, keys]
    return blake2b(pack(about), digest_size=16).hexdigest()


def is_read_from(dataset: Dataset, path: Path) -> bool:
    """Return whether ``path`` is a file that a dataset names."""
    recipe = _recipe(dataset)
    return path.exists() and recipe is not None and any(os.path.samefile(path, one) for one in _paths(recipe))


def _recipe(dataset: Dataset) -> Recipe | None:
    try:
        return recipe_of(dataset)
    except RecipeError:
        return None


def _stamp(path: str) -> tuple[int, int, int]:
    """Return what another file in its place would differ in; of a folder, it is the keys that tell."""
    status = os.stat(path)
    return status.st_ino, *((0, 0) if os.path.isdir(path) else (status.st_size, status.st_mtime_ns))


def _keys(dataset: Dataset) -> bytes:
    digest = blake2b()
    for index in range(len(dataset)):
        digest.update(dataset.key(index).encode("utf-8", "surrogatepass") + b"\0")
    return digest.digest()


def _paths(value: Any) -> Iterator[str]:
    """Yield what of the arguments is the path of something that exists."""
    if isinstance(value, Recipe):
        yield from _paths(value.params)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _paths(part)
    elif isinstance(value, (list, tuple)) and not all(isinstance(part, (int, float)) for part in value):
        for part in value:
            yield from _paths(part)
    elif isinstance(value, str) and "\0" not in value and len(value) < 4096 and os.path.exists(value):
        yield value
