"""A training function that runs alone and with others alike: three functions, which alone do nothing.

They take the place of the object that nebulae calls ``Multiverse``: there is nothing to pass around.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Generic, TypeVar

from torch import nn

from leaven.errors import ParameterError
from leaven_plugins.distributed.joining import join, leave
from leaven_plugins.distributed.world import World, current
from leaven_plugins.distributed.wrapping import wrapped

T = TypeVar("T")


def init(device: str = "cpu", timeout: float = 600.0) -> World:
    """Join the ranks of torchrun or ``launch`` until this process ends; alone, do nothing.

    ``with joined(...)`` does the same for a block, and makes the errors of lost ranks readable as well.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        timeout: seconds after which a rank that does not answer counts as gone.

    Raises:
        ParameterError: another device, or a timeout below 1 second.
        DistributedError: the environment is incomplete, or the others cannot be reached.
    """
    if join(device, timeout):
        atexit.register(leave)
    return current()


def sync(models: Any, data: Any) -> tuple[Any, Any]:
    """Return models whose gradients are the mean over the ranks, and this rank's share of the data.

    Args:
        models: a module, or a list, tuple or dict of modules, on the devices where they are to be trained.
        data: an iterable: this rank gets every ``size``-th item of it, beginning with number ``rank``. The shares
            differ by one item at most; :func:`~leaven_plugins.distributed.uneven.together` goes through them. What has
            ``epoch_iterations``, such as a loader, stays as it is: it knows its rank, and has divided its batches.

    Raises:
        ParameterError: something among the models is no module.
    """
    world = current()
    shared = world.size == 1 or hasattr(data, "epoch_iterations")
    return _wrapped(models, world), data if shared else Share(data, world.rank, world.size)


def reduce(values: Any, aggregate: bool = False) -> Any:
    """Return the mean over the ranks, or the sum (``aggregate=True``), also of lists, tuples and dicts of tensors.

    Raises:
        ParameterError: something in it is neither tensor nor number.
        DistributedError: ranks passed different shapes or dtypes, or one has gone.
    """
    world = current()
    return world.sum(values) if aggregate else world.mean(values)


class Share(Generic[T]):
    """Every ``size``-th item of an iterable, from number ``rank`` on.

    Args:
        data: what is iterated over.
        rank: number of the first item.
        size: how many shares there are.
    """

    def __init__(self, data: Iterable[T], rank: int, size: int) -> None:
        self._data = data
        self._rank = rank
        self._size = size

    def __iter__(self) -> Iterator[T]:
        return islice(iter(self._data), self._rank, None, self._size)


def _wrapped(models: Any, world: World) -> Any:
    if isinstance(models, Mapping):
        return {key: _wrapped(model, world) for key, model in models.items()}
    if isinstance(models, (list, tuple)):
        return type(models)([_wrapped(model, world) for model in models])
    if not isinstance(models, nn.Module):
        raise ParameterError(f"a {type(models).__name__} cannot be trained together: expected modules")
    return wrapped(models, world)
