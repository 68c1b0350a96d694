"""BackgroundTask: a function that processes run again and again, so that a result is there when it is asked for."""

from __future__ import annotations

import itertools
import logging
import secrets
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Transport
from leaven.stream.arena import Arena, Layout
from leaven.stream.lane import Lane
from leaven.stream.pool import WorkerPool
from leaven.stream.randomness import Streams
from leaven.stream.shared import handle
from leaven.stream.sources import Stretch
from leaven.stream.supervisor import Supervisor
from leaven.tasks.answers import wait_for
from leaven.tasks.calls import Call, Carrier, carrier_for
from leaven.tasks.constants import Sharing
from leaven.tasks.functions import name_of
from leaven.tasks.results import declared, layout_of, layout_to_plain, results_of, shown
from leaven.tasks.seeding import generator, wants_random
from leaven.tasks.serving import Repeating
from leaven.tasks.workers import workers_for

log = logging.getLogger("leaven.tasks")

_EXAMPLE = (1 << 64) - 1  # the run that only shows what results are like


class BackgroundTask:
    """Runs a function in the background again and again, always with the same arguments.

    As many processes as asked for are started once. Each holds one finished result ready, and begins its next run when
    that is fetched::

        with BackgroundTask(data.batch, nworkers=2, args=(32,)) as batches:
            for step in range(1000):
                image, label = batches.get()

    Args:
        target: a function, method, or ``functools.partial``. Where it has a parameter ``random`` that is given no
            value, it gets a ``numpy.random.Generator`` that is keyed by ``seed`` and the number of the run. It returns
            an array or number, or a tuple or list of these, in which ``None`` is left out.
        dtypes: of the results, any of a fixed size; one alone for a single result. ``None``: the function is called
            once here, and now, to find out.
        shapes: of the results, which keep them.
        nworkers: how many processes; 0 runs the function within :meth:`get`.
        args: positional arguments.
        kwargs: keyword arguments.
        profile: whether each ``get`` logs how long it waited and how long the run took, in milliseconds.
        transport: ``"zeromq"`` (processes), ``"threads"`` or ``"inline"``; the latter take any callable.
        seed: of the runs' random numbers, a whole number of 64 bits; ``None``: another one each time. Processes also
            have the global state of ``random`` and ``numpy.random`` set for each run; threads leave it alone.
        worker_timeout: seconds after which a run counts as hanging, and its process is replaced; 0 for no limit.

    Raises:
        ParameterError: a value is out of range, or the function returns nothing that has a fixed size.
        RecipeError: the function or an argument cannot be handed to another process.
        WorkerError: there is not enough shared memory, or this system has not what processes need.
    """

    def __init__(
        self,
        target: Callable[..., Any],
        dtypes: Any = None,
        shapes: Any = None,
        nworkers: int = 1,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        profile: bool = False,
        transport: Transport | str | Mapping[str, Any] = "zeromq",
        seed: int | None = None,
        worker_timeout: float = 0.0,
    ) -> None:
        if not callable(target):
            raise ParameterError(f"target={target!r}: expected a function, got a {type(target).__name__}")
        if seed is not None and (type(seed) is not int or not -(1 << 63) <= seed < 1 << 64):
            raise ParameterError(f"seed={seed!r}: expected a whole number of 64 bits, or None")
        if (dtypes is None) != (shapes is None):
            raise ParameterError("dtypes and shapes: expected both or neither")
        self._call = Call(target, tuple(args), dict(kwargs or {}))
        self._profile = profile
        self._seed = secrets.randbits(63) if seed is None else seed
        self._layout = layout_of(_shown_by(self._call, self._seed) if dtypes is None else declared(dtypes, shapes))
        self._new_workers = partial(workers_for, nworkers, transport, worker_timeout)
        self._runs = itertools.count()
        self._engine: _Engine | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None
        self._start()

    def get(self, timeout: float | None = None) -> tuple[NDArray[Any], ...]:
        """Return the results of the run that was finished first of those that were not fetched yet, as new arrays.

        Args:
            timeout: seconds to wait at most; ``None``: as long as it takes.

        Raises:
            Exception: what the function raised in that run; the next call goes on with the next one.
            TaskError: the run's results are of another shape or dtype, or it killed its process again and again.
            TimedOut: no run was finished in time.
            WorkerError: the processes cannot be kept alive; :meth:`reset` may help.
            LeavenError: this was closed.
        """
        if self._engine is None:
            raise LeavenError("the background task has been closed")
        began = time.perf_counter()
        results, seconds = self._engine.get(timeout)
        if self._profile:
            waited = time.perf_counter() - began
            log.info("%s: waited %.1f ms, run took %.1f ms", name_of(self._call.function), waited * 1e3, seconds * 1e3)
        return results

    def reset(self) -> None:
        """Drop what was prepared, end the processes and start new ones; runs, and so random numbers, are not repeated.

        It is for after an interruption, such as a Ctrl-C within :meth:`get`, a run that hangs, or a ``WorkerError``.
        """
        self.close()
        self._start()

    def close(self) -> None:
        """End the processes and give back everything. Idempotent; also done when nothing refers to this any more."""
        self._engine = None
        if self._finalizer is not None:
            finalizer, self._finalizer = self._finalizer, None
            finalizer()

    def __enter__(self) -> BackgroundTask:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _start(self) -> None:
        engine = _started(self._call, self._layout, self._new_workers(), self._seed, self._runs)
        self._engine = engine
        self._finalizer = weakref.finalize(self, engine.close)


@dataclass(frozen=True)
class _Engine:
    """What runs behind a background task from start to close."""

    pool: WorkerPool
    arena: Arena
    layout: Layout
    lane: Lane
    supervisor: Supervisor
    carrier: Carrier
    sharing: Sharing  # what processes that are started later need as well
    name: str

    def get(self, timeout: float | None) -> tuple[tuple[NDArray[Any], ...], float]:
        """Return copies of the results of a run, and how long it took."""
        answer = wait_for(self.supervisor, self.lane, self.carrier, None, timeout, f"a run of {self.name}")
        try:
            answer.outcome.get()
            arrays = self.layout.arrays(self.arena.slot(answer.slot), 1)
            return tuple(array.copy()[0, ...] for array in arrays.values()), answer.seconds
        finally:
            if answer.slot >= 0:
                self.supervisor.release(self.lane, answer.slot)

    def close(self) -> None:
        """Give back everything."""
        try:
            self.pool.close()
        finally:
            self.arena.close()


def _started(call: Call, layout: Layout, pool: WorkerPool, seed: int, runs: Iterator[int]) -> _Engine:
    carrier, sharing = carrier_for(pool.in_process), Sharing()
    task = None if pool.in_process else call.pack(sharing)
    slots = pool.nworkers
    arena = Arena(slots, layout.size)
    where = handle(arena.fd)

    def spec(elsewhere: bool) -> dict[str, Any]:
        shared = {"results": layout_to_plain(layout), "slots": slots, "arena": where}
        return {"role": "tasks", "task": task, "elsewhere": elsewhere, "seed": seed, **shared}

    lane = Lane(slots, 1, spec, lambda: Repeating(call, layout, arena, carrier, seed, alone=False), [arena.fd])
    try:
        supervisor = pool.add(lane)
        supervisor.begin(lane, (Stretch(run, 1, [0], [run], None, []) for run in runs))
    except BaseException:
        pool.close()
        arena.close()
        raise
    return _Engine(pool, arena, layout, lane, supervisor, carrier, sharing, name_of(call.function))


def _shown_by(call: Call, seed: int) -> Any:
    drawn = {"random": generator(Streams(seed), _EXAMPLE)} if wants_random(call) else {}
    return shown(results_of(call.function(*call.args, **call.kwargs, **drawn)), name_of(call.function))
