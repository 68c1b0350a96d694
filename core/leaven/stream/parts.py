"""Parts: the components of one loader, looked up and checked before the first sample."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.errors import ParameterError, RecipeError, WorkerError
from leaven.protocols import Collator, Feed, Worker
from leaven.stream import wire
from leaven.stream.order import Order
from leaven.stream.pool import WorkerPool
from leaven.stream.sources import has_positions

if TYPE_CHECKING:
    from leaven.registry.recipes import Recipe
    from leaven.registry.registry import Registry


@dataclass(frozen=True)
class Parts:
    """What a loader is made of; recipes are what other processes make the same thing from, where there is one."""

    dataset: Any
    dataset_recipe: Recipe | None
    worker: Worker
    worker_recipe: Recipe | None
    collators: Sequence[Collator]
    collator_recipes: Sequence[Recipe]
    feed: Feed
    in_process: bool
    order: Order | None
    sampler_recipe: Recipe | None

    @classmethod
    def of(
        cls,
        registry: Registry | None,
        dataset: Any,
        worker: Any,
        collators: Sequence[Any],
        sampler: Any,
        shuffle: bool,
        feed: Any,
        pool: WorkerPool,
        seed: int,
    ) -> Parts:
        """Look everything up, and lay the sampler over the dataset.

        Raises:
            LookupFailed: a name does not lead to a component.
            ParameterError: something is not what its place needs.
            RecipeError: workers are to be processes of their own, and cannot make the worker.
        """
        if registry is None:
            from leaven.registry.registry import default_registry

            registry = default_registry()
        if isinstance(collators, (str, Mapping)) or not isinstance(collators, Iterable):
            raise ParameterError(f"collators={collators!r}: expected a list of collators")
        made_worker, worker_recipe = registry.resolve(worker, kind="worker")
        made_collators = [registry.resolve(collator, kind="collator") for collator in collators]
        made_feed, _ = registry.resolve(feed, kind="feed")
        made_dataset, dataset_recipe = _dataset(registry, dataset)
        if not isinstance(made_worker, Worker):
            raise ParameterError(f"worker: {made_worker!r} has no buffers, setup() and process(request)")
        order, sampler_recipe = _order(registry, sampler, shuffle, made_dataset, seed)
        if not pool.in_process:
            _refuse_unguarded_script()
            _need_recipe("worker", made_worker, worker_recipe)
            for collator, recipe in made_collators:
                _need_recipe("collator", collator, recipe)
        return cls(
            made_dataset,
            dataset_recipe,
            made_worker,
            worker_recipe,
            [collator for collator, _ in made_collators],
            [recipe for _, recipe in made_collators if recipe is not None],
            made_feed,
            pool.in_process,
            order,
            sampler_recipe,
        )

    @property
    def readable(self) -> bool:
        """Whether workers can read the dataset themselves."""
        return self.dataset_recipe is not None or (self.in_process and hasattr(self.dataset, "sample"))

    def fingerprint(self) -> dict[str, Any]:
        """Return what a loader's state says of components: the sampler, what makes the batches, with which numpy."""
        recipes = [self.worker_recipe, *self.collator_recipes]
        made = [_without_versions(recipe.to_plain()) for recipe in recipes if recipe is not None]
        sampler = None if self.sampler_recipe is None else _without_versions(self.sampler_recipe.to_plain())
        numpy_version = ".".join(np.__version__.split(".")[:2])
        return {"sampler": sampler and _digest(sampler), "worker": _digest(made), "numpy": numpy_version}


def _order(
    registry: Registry, sampler: Any, shuffle: bool, dataset: Any, seed: int
) -> tuple[Order | None, Recipe | None]:
    """Return which sample comes when; ``None`` where the dataset has an order of its own."""
    if not has_positions(dataset):
        if shuffle or sampler is not None:
            what = "shuffle=True" if shuffle else "a sampler"
            raise ParameterError(f"{what} needs samples with len and positions; an iterable keeps its own order")
        return None, None
    made, recipe = registry.resolve(sampler or ("shuffle" if shuffle else "sequential"), kind="sampler")
    return Order.of(made, dataset, seed), recipe


def _without_versions(plain: Any) -> Any:
    """A new version of a plugin alone does not make another stream."""
    if isinstance(plain, dict):
        return {key: _without_versions(value) for key, value in plain.items() if key not in ("version", "source")}
    return [_without_versions(value) for value in plain] if isinstance(plain, list) else plain


def _digest(plain: Any) -> str:
    return blake2b(wire.pack(plain), digest_size=8).hexdigest()


def _dataset(registry: Registry, dataset: Any) -> tuple[Any, Recipe | None]:
    if isinstance(dataset, (str, dict)) or hasattr(dataset, "sample"):
        return registry.resolve(dataset, kind="dataset")
    return dataset, None


def _refuse_unguarded_script() -> None:
    """A worker that imports the user's script for a class in it would start workers of its own, and these again."""
    from leaven.registry.files import MAIN

    if MAIN in sys.modules:
        raise WorkerError(
            "this script makes a loader whenever it is imported, and its workers import it for the classes in it; "
            "put the loader under if __name__ == '__main__':"
        )


def _need_recipe(role: str, made: Any, recipe: Recipe | None) -> None:
    if recipe is None:
        from leaven.registry.recipes import recipe_of

        try:
            recipe_of(made)
        except RecipeError as error:
            raise RecipeError(f"{role}: {error}") from error
