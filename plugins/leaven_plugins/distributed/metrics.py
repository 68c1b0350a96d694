"""Metrics of several processes: what each of them has seen, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from leaven.errors import ParameterError
from leaven_plugins.distributed.world import World


def merged(metric: Any, world: World) -> Any:
    """Return a metric that has seen what all ranks have; on each of them the same. ``metric`` itself stays as it is.

    Args:
        metric: a metric with ``state_dict()`` and ``load_state_dict()``, or a sequence of such, to any depth.
        world: the ranks; each calls this with the same metrics. Alone, ``metric`` is returned as it is.

    Raises:
        ParameterError: a metric has no state; the text names it.
        DistributedError: a rank has gone.
    """
    if world.size == 1:
        return metric
    states = world.gather(_state(metric))
    return _merged(metric, states)


def _state(metric: Any) -> Any:
    if isinstance(metric, Sequence):
        return [_state(each) for each in metric]
    if not hasattr(metric, "state_dict") or not hasattr(metric, "load_state_dict"):
        raise ParameterError(
            f"a {type(metric).__name__} cannot be put together from several processes: "
            "it needs state_dict() and load_state_dict(state)"
        )
    return metric.state_dict()


def _merged(metric: Any, states: Sequence[Any]) -> Any:
    if isinstance(metric, Sequence):
        return [_merged(each, [state[number] for state in states]) for number, each in enumerate(metric)]
    first, *others = (_loaded(metric, state) for state in states)
    for other in others:
        first.merge(other)
    return first


def _loaded(metric: Any, state: Mapping[str, Any]) -> Any:
    copy = deepcopy(metric)
    copy.load_state_dict(state)
    return copy
