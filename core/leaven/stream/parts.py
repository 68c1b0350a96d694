"""Parts: the components of one loader, looked up and checked before the first sample."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaven.errors import ParameterError, RecipeError, WorkerError
from leaven.protocols import Collator, Feed, Transport, Worker

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
    transport: Transport
    transport_recipe: Recipe | None
    feed: Feed

    @classmethod
    def of(
        cls,
        registry: Registry | None,
        dataset: Any,
        worker: Any,
        collators: Sequence[Any],
        transport: Any,
        feed: Any,
        nworkers: int,
    ) -> Parts:
        """Look everything up. Without workers, the loader's own process is where the work is done.

        Raises:
            LookupFailed: a name does not lead to a component.
            ParameterError: something is not what its place needs.
            RecipeError: workers are to be processes of their own, and cannot make the worker.
        """
        if registry is None:
            from leaven.registry.registry import default_registry

            registry = default_registry()
        made_worker, worker_recipe = registry.resolve(worker, kind="worker")
        made_collators = [registry.resolve(collator, kind="collator") for collator in collators]
        made_transport, transport_recipe = registry.resolve(transport, kind="transport")
        if nworkers == 0:
            made_transport, transport_recipe = registry.resolve("inline", kind="transport")
        made_feed, _ = registry.resolve(feed, kind="feed")
        made_dataset, dataset_recipe = _dataset(registry, dataset)
        if not isinstance(made_worker, Worker):
            raise ParameterError(f"worker: {made_worker!r} has no buffers, setup() and process(request)")
        if not made_transport.in_process:
            _refuse_unguarded_script()
            _need_recipe("worker", made_worker, worker_recipe)
            _need_recipe("transport", made_transport, transport_recipe)
            for collator, recipe in made_collators:
                _need_recipe("collator", collator, recipe)
        return cls(
            made_dataset,
            dataset_recipe,
            made_worker,
            worker_recipe,
            [collator for collator, _ in made_collators],
            [recipe for _, recipe in made_collators if recipe is not None],
            made_transport,
            transport_recipe,
            made_feed,
        )

    @property
    def readable(self) -> bool:
        """Whether workers can read the dataset themselves."""
        return self.dataset_recipe is not None or (self.transport.in_process and hasattr(self.dataset, "sample"))


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
