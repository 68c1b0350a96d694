"""Timing of short functions: the least of repeated runs, which is what disturbs the result least."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

_RUN = 0.002  # seconds that one run should take, so that the clock's steps do not count


def least_times(
    functions: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the seconds that one call of each function takes, by name.

    All functions are run in each round, one after the other, so that what disturbs the machine for a while disturbs all
    of them alike.

    Args:
        functions: what to call.
        rounds: how many times.
        clock: what gives the time in seconds.
    """
    calls = {name: _calls_for(function, clock) for name, function in functions.items()}
    least = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds):
        for name, function in functions.items():
            began = clock()
            for _ in range(calls[name]):
                function()
            least[name] = min(least[name], (clock() - began) / calls[name])
    return least


def _calls_for(function: Callable[[], object], clock: Callable[[], float]) -> int:
    function()  # whatever is only done once
    began = clock()
    function()
    return max(1, round(_RUN / max(clock() - began, 1e-7)))
