"""Augmentation on the device: a worker that leaves ops to an augmenter, and what has that done to each batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from leaven.errors import ParameterError, listing
from leaven.protocols import Augmenter
from leaven.registry.parameters import parameters_of
from leaven.registry.recipes import Recipe
from leaven.registry.references import Reference
from leaven.registry.registry import Registry

Transform = Callable[[Any], Any]


def shared_work(worker: Any, augmenter: Augmenter | str | Mapping[str, Any], registry: Registry) -> tuple[Any, Any]:
    """Return the worker made again, so that it leaves to the augmenter what both can do, and the augmenter.

    Args:
        worker: spec, table or instance of kind ``worker`` with the parameters ``ops`` and ``gpu_augmentation``.
        augmenter: spec, table or instance of kind ``augmenter``.
        registry: where names are looked up.

    Raises:
        ParameterError: the worker has no such parameters or cannot be made again, no op is left to the augmenter, or
            that does not know what is white.
        LookupFailed: a name does not lead to a component.
    """
    made: Augmenter = registry.create(augmenter, kind="augmenter")
    original, recipe = registry.resolve(worker, kind="worker")
    if recipe is None:
        raise ParameterError(
            f"gpu_augmentation: this {type(original).__name__} was made by hand and cannot be made again without what "
            "the device is to do: give it as a table, or give it gpu_augmentation and use the augmenter as transform"
        )
    names = _ops_of(recipe)
    left = [name for name in names if name in made.ops]
    if not left:
        raise ParameterError(
            f"gpu_augmentation: nothing is left to do for the augmenter: the worker's ops are {listing(names)}; "
            f"the augmenter's: {listing(made.ops)}"
        )
    _check_white(original, made)
    return replace(recipe, params={**recipe.params, "gpu_augmentation": left}).build(), made


def then(first: Transform, second: Transform | None) -> Transform:
    """Return the function that does ``first`` to each sample that a feed has made, and then ``second`` to them all."""

    def both(fed: Any) -> Any:
        done = [first(sample) for sample in fed] if isinstance(fed, list) else first(fed)
        return done if second is None else second(done)

    return both


def _check_white(worker: Any, augmenter: Any) -> None:
    """Refuse an augmenter that would take 1 for white, or the dtype's greatest value, where workers fill in 255."""
    image = worker.buffers.get("image")
    if image is not None and image.dtype != np.uint8 and getattr(augmenter, "white", 255) is None:
        raise ParameterError(
            f"gpu_augmentation: workers make {image.dtype} of images of 8 bits without changing their values; say what "
            'white is, as {"use": "torch", "white": 255}, or take uint8'
        )


def _ops_of(recipe: Recipe) -> list[str]:
    """Return the names of a worker's ops, each once."""
    known = parameters_of(Reference(recipe.target, recipe.source).resolve())
    if not {"ops", "gpu_augmentation"} <= known.keys():
        raise ParameterError(f"gpu_augmentation: {recipe.component or recipe.target} cannot leave ops to a device")
    ops = [part.build() if isinstance(part, Recipe) else part for part in recipe.params.get("ops", ())]
    return list(dict.fromkeys(str(getattr(op, "name", type(op).__name__)) for op in ops))
