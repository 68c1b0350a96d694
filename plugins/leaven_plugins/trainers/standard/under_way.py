"""The epoch under way: what it has added up in all processes, so that another run can go on with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import islice
from typing import Any, NamedTuple

from leaven_plugins.distributed.world import World
from leaven_plugins.snapshots.capture import random_state, set_random_state
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.meter import EpochMeter

_SUMS = ("loss_sum", "loss_rows", "samples")


class Resumed(NamedTuple):
    """An epoch to go on with: what each rank has added up, and whether the data is at the place by its own state."""

    ranks: Sequence[dict[str, Any]]
    is_placed: bool


def captured(meter: EpochMeter, metric: Measures, began: Any, world: World) -> dict[str, Any]:
    """Return a copy of what the epoch has added up; all ranks have to ask.

    Args:
        meter: of the epoch.
        metric: likewise.
        began: the state of the generators when its data was begun; ``None`` where the data has a state of its own.
        world: the ranks.
    """
    mine = {"meter": meter.state_dict(), "metrics": metric.state_dict(), "random": began}
    return {"ranks": world.gather(mine)}


def put_sums_back(resumed: Resumed, meter: EpochMeter, metric: Measures, world: World) -> None:
    """Let meter and metric go on; where there were more ranks than now, each takes those of several."""
    mine = resumed.ranks[world.rank :: world.size]
    sums = {name: sum(state["meter"][name] for state in mine) for name in _SUMS}
    meter.load_state_dict({**sums, "iterations": _own(resumed, world)["meter"]["iterations"]})
    for place, state in enumerate(mine):
        part = metric if place == 0 else Measures(deepcopy(metric.metrics))
        part.load_state_dict(state["metrics"])
        if place:
            metric.merge(part)


def begun_again(data: Any, resumed: Resumed, world: World) -> tuple[Iterator[Any], Any]:
    """Return what is left of data without a state, and the generators' state when it was begun.

    It is begun with the generators as they were then: data that shuffles by one of these shuffles the same.
    """
    own, now = _own(resumed, world), random_state()
    began = own["random"] or now
    set_random_state(began)
    items = iter(data)
    for _ in islice(items, own["meter"]["iterations"]):
        pass
    set_random_state(now)
    return items, began


def _own(resumed: Resumed, world: World) -> dict[str, Any]:
    return resumed.ranks[world.rank % len(resumed.ranks)]
