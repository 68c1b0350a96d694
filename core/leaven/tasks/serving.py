"""The worker's side: it runs functions, each call for itself or one call again and again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from leaven.errors import TaskError, WorkerError
from leaven.stream.arena import Arena, Layout
from leaven.stream.board import Line
from leaven.stream.messages import Done, Work
from leaven.stream.randomness import Streams
from leaven.stream.serving import Answerer
from leaven.stream.shared import opened
from leaven.tasks.calls import ByValue, Call, Carrier, Outcome, outcome_of
from leaven.tasks.functions import name_of
from leaven.tasks.results import layout_from_plain, results_of
from leaven.tasks.seeding import generator, seed_globals, wants_random


def server(spec: Mapping[str, Any]) -> Answerer:
    """Return what works for the lane that ``spec`` describes.

    Raises:
        WorkerError: this is another host than the one where the functions are.
        LeavenError: a function cannot be found or made here.
    """
    if spec["elsewhere"]:
        raise WorkerError("functions are run on their own host only, not by workers that join from another one")
    if spec["task"] is None:
        return Calling(ByValue())
    layout = layout_from_plain(spec["results"])
    arena = Arena(spec["slots"], layout.size, fd=opened(spec["arena"]))
    return Repeating(Call.unpack(spec["task"]), layout, arena, ByValue(), spec["seed"], alone=True)


def spec_of(elsewhere: bool) -> dict[str, Any]:
    """Return what a worker's process sets up from to run the calls that come; ``elsewhere``: on another host."""
    return {"role": "tasks", "task": None, "elsewhere": elsewhere}


class Calling:
    """Runs the calls that come.

    Args:
        carrier: brings calls, and takes what comes of them back.
    """

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def setup(self) -> None:
        """Nothing is to be set up."""

    def done(self, work: Work, line: Line) -> Done:
        """Run the function; what it raises is an outcome as well."""
        number, (data,) = work.indices[0], work.items or (b"",)
        line.on(number, "unpack")
        began = time.perf_counter()

        def run() -> Any:
            call = self._carrier.call(work.number, data)
            line.on(number, "work")
            return call.run(again=work.attempt > 0)

        return _answer(work, self._carrier, outcome_of(run, self._carrier.here), began)

    def key(self, error: BaseException) -> str:
        """Tasks have none."""
        return ""


class Repeating:
    """Runs one call again and again, and puts its results into shared memory.

    Args:
        call: the function and its arguments.
        layout: where the results lie.
        arena: the shared memory.
        carrier: takes errors back.
        seed: of the runs.
        alone: whether this process runs nothing else, so that its global random state may be set.
    """

    def __init__(self, call: Call, layout: Layout, arena: Arena, carrier: Carrier, seed: int, alone: bool) -> None:
        self._call = call
        self._layout = layout
        self._arena = arena
        self._carrier = carrier
        self._streams = Streams(seed)
        self._alone = alone
        self._gives_random = wants_random(call)

    def setup(self) -> None:
        """Nothing is to be set up."""

    def done(self, work: Work, line: Line) -> Done:
        """Run the function once; what it raises is an outcome as well."""
        run = work.indices[0]
        line.on(run, "work")
        began = time.perf_counter()
        places = self._layout.arrays(self._arena.slot(work.slot), 1)
        outcome = outcome_of(lambda: self._run(run, places), self._carrier.here)
        return _answer(work, self._carrier, outcome, began)

    def key(self, error: BaseException) -> str:
        """Runs have none."""
        return ""

    def _run(self, run: int, places: Mapping[str, NDArray[Any]]) -> None:
        if self._alone:
            seed_globals(self._streams, run)
        drawn = {"random": generator(self._streams, run)} if self._gives_random else {}
        call = self._call
        results = results_of(call.function(*call.args, **call.kwargs, **drawn))
        name = name_of(call.function)
        if len(results) != len(places):
            raise TaskError(f"{name} returned {len(results)} results in run {run} instead of {len(places)}")
        for number, (result, place) in enumerate(zip(results, places.values(), strict=True)):
            if (result.shape, result.dtype) != (place.shape[1:], place.dtype):
                raise TaskError(
                    f"result {number} of {name} is {result.dtype} {result.shape} in run {run} instead of "
                    f"{place.dtype} {place.shape[1:]}"
                )
            place[0] = result


def _answer(work: Work, carrier: Carrier, outcome: Outcome, began: float) -> Done:
    data = carrier.send_outcome(work.number, outcome)
    batch = {"outcome": data, "seconds": time.perf_counter() - began}
    return Done(work.lane, work.number, work.attempt, work.slot, [], [batch], [], [], {})
