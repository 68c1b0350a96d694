"""TurboDataLoader: batches from a dataset, made by workers. Here the registry's wing and the stream's wing meet."""

from __future__ import annotations

import logging
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leaven.errors import LeavenError, ParameterError, StateError
from leaven.stream.arena import Layout
from leaven.stream.engine import Engine, Settings
from leaven.stream.failures import rebuilt
from leaven.stream.feeding import Feeding, Taken
from leaven.stream.lane import Result
from leaven.stream.lanes import specs_of
from leaven.stream.order import epoch_of
from leaven.stream.parts import Parts
from leaven.stream.plan import LastBatch, Plan
from leaven.stream.pool import WorkerPool
from leaven.stream.ranks import rank_of
from leaven.stream.schedule import Progress, stretches
from leaven.stream.serving import Policy
from leaven.stream.sources import Requests, Stretch, source_of
from leaven.stream.state import progress_of, state_of
from leaven.stream.tolerance import Tolerance
from leaven.stream.tracing import Trace

if TYPE_CHECKING:
    from leaven.protocols import Collator, Feed, Sampler, Transport
    from leaven.registry.registry import Registry
    from leaven.stream.board import Doing

log = logging.getLogger("leaven.loader")

_SMALL_SLOT = 1 << 20  # bytes; batches below it are made in a few ms, so workers need more of them at hand
_ENDS = 1 << 62  # no position in the stream is as large: they are int64
_GUESTS = 8  # workers of other hosts that are kept busy; more may join, and wait

Transform = Callable[[dict[str, Any]], dict[str, Any]]


class TurboDataLoader:
    """Feeds batches that workers make from a dataset.

    ::

        with TurboDataLoader(dataset, 64, worker, nworkers=2, shuffle=True) as loader:
            for iteration, mini_batches in loader:      # one epoch
                for sample in mini_batches:             # a dict: image, label, augmentation
                    ...

    The stream is a pure function of the dataset, ``seed``, ``rank``, ``world_size`` and the position in it: it does not
    depend on the number of workers or on the transport, and stays the same when workers die. One ``for`` is one epoch;
    one that was broken off is not continued, except where the samples come from an iterator that cannot be started
    again, and after :meth:`load_state_dict`.

    Args:
        dataset: a dataset (instance, spec string or table), anything with ``len`` and integer positions, an iterable,
            or an object with ``yield_requests()``, which yields the samples (or positions, where it has ``sample``) of
            one mini-batch after the other. Samples are packed msgpack messages or mappings.
        batch_size: samples in one iteration, on this rank.
        worker: instance, spec string or table of kind ``worker``.
        nworkers: number of workers; 0 works in this process. Or a :class:`~leaven.stream.pool.WorkerPool` that other
            loaders use as well.
        length: samples in one epoch; by default those of one pass over the dataset. Epochs of another length follow
            each other in the endless stream of passes.
        num_mini_batches: into how many equal parts an iteration is cut; must divide ``batch_size``.
        start_iteration: number of the first iteration: the stream goes on there, within the epoch that it falls into.
        shared_memory: ``True``, or how many mini-batches it holds; ``False`` sends arrays through the transport.
        transport: spec, table or instance of kind ``transport``.
        feed: spec, table or instance of kind ``feed``.
        collators: specs, tables or instances of kind ``collator``; each mini-batch goes through them, in this order.
        max_restarts: see :class:`~leaven.stream.pool.WorkerPool`.
        seed: of shuffling and augmentation.
        shuffle: a new order for each pass: ``sampler="shuffle"``. Needs a dataset with positions.
        sampler: spec, table or instance of kind ``sampler``: which sample comes when. Needs a dataset with positions.
        last_batch: what becomes of samples that do not fill a last batch: ``keep`` a smaller one, ``drop`` them,
            ``pad`` it with rows that hold no sample (``valid`` tells), or ``wrap``: the epoch's first samples again.
        rank: of this process among those that train together; each has a loader of its own. ``None``: as torchrun says
            in the environment (``RANK``, ``WORLD_SIZE`` and ``MASTER_ADDR``), else 0.
        world_size: how many such processes there are, by default likewise or 1. Each makes the same number of
            iterations.
        endless: an epoch has no end; batches go on across the passes.
        order: ``position``: batches come in the order of the stream; ``arrival``: as they are made.
        on_error: what becomes of a sample that cannot be made: ``raise``, ``skip`` (its row holds no sample, ``valid``
            tells) or ``replace`` (by another one, drawn from its cell).
        max_errors: how many samples of an epoch may fail: a number, or a share of them.
        quarantine: path of a file that lists those that do.
        poison_after: a sample that so many workers died of is not tried again.
        worker_timeout: see :class:`~leaven.stream.pool.WorkerPool`.
        transform: called with each mini-batch, as the feed has made it, before it is handed out; returns what is.
        trace: takes in what workers and the consumer do when, see :class:`~leaven.stream.tracing.Trace`.
        registry: where names are looked up; by default :func:`leaven.default_registry`.

    Raises:
        ParameterError: a value is out of range, or values do not go together.
        LookupFailed: a name does not lead to a component.
        RecipeError: the worker cannot be made in another process; the text says what can be done.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        worker: Any,
        nworkers: int | WorkerPool,
        length: int | None = None,
        num_mini_batches: int = 1,
        start_iteration: int = 0,
        shared_memory: bool | int = True,
        transport: Transport | str | Mapping[str, Any] = "zeromq",
        feed: Feed | str | Mapping[str, Any] = "numpy",
        collators: Sequence[Collator | str | Mapping[str, Any]] = (),
        max_restarts: int = 10,
        seed: int = 0,
        shuffle: bool = False,
        sampler: Sampler | str | Mapping[str, Any] | None = None,
        last_batch: LastBatch = "keep",
        rank: int | None = None,
        world_size: int | None = None,
        endless: bool = False,
        order: str = "position",
        on_error: str = "raise",
        max_errors: float = 0.1,
        quarantine: str | Path | None = None,
        poison_after: int = 3,
        worker_timeout: float = 300.0,
        transform: Transform | None = None,
        trace: Trace | None = None,
        registry: Registry | None = None,
    ) -> None:
        self._plan = Plan(batch_size, num_mini_batches, *rank_of(rank, world_size), last_batch)
        _at_least(1, length=1 if length is None else length, poison_after=poison_after)
        _at_least(0, start_iteration=start_iteration)
        _check_kinds(seed, shared_memory, transform, trace)
        _check_together(length, endless, order, shuffle, sampler)
        self.seed = seed
        self.wait_seconds = 0.0
        """How long the consumer has waited for batches, in all."""

        self._own_pool = not isinstance(nworkers, WorkerPool)
        pool = nworkers if isinstance(nworkers, WorkerPool) else None
        self._pool = pool or WorkerPool(nworkers, transport, max_restarts, worker_timeout, registry)  # type: ignore[arg-type]
        self._parts = parts = Parts.of(registry, dataset, worker, collators, sampler, shuffle, feed, self._pool, seed)
        if parts.order is None and last_batch == "wrap":
            raise ParameterError("last_batch='wrap' needs samples with len and positions: an iterable cannot go back")
        self._tolerance = Tolerance(on_error, max_errors, quarantine, parts.dataset)
        self.counts: Counter[str] = Counter()
        """How often the workers said that what happened, as by ``tally()``: in which way images were decoded, say."""

        self._policy = Policy(on_error, _masks(self._plan, on_error), trace is not None)
        self._shared_memory = shared_memory
        self._poison_after = poison_after
        self._arrival = order == "arrival"
        self._endless = endless
        self._transform = transform
        self._trace = trace
        self._length: int | None = None
        self._engine, self._feeding, self._source = self._made()
        self._length = self._checked(length if length is not None or endless else self._source.length)
        self._progress = self._place(start_iteration)
        self._epoch: object | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None

    # ---- epochs

    @property
    def batch_size(self) -> int:
        """Samples in one iteration, on this rank."""
        return self._plan.batch_size

    @property
    def num_mini_batches(self) -> int:
        """Into how many parts an iteration is cut."""
        return self._plan.parts

    @property
    def rows(self) -> int:
        """Samples in a mini-batch."""
        return self._plan.rows

    @property
    def epoch_iterations(self) -> int | None:
        """Iterations in one epoch; ``None`` where the epoch ends when the iterable does, or never."""
        return None if self._length is None else self._plan.steps(self._length)

    def __len__(self) -> int:
        if self.epoch_iterations is None:
            raise TypeError("the samples have no length: an epoch ends when they do, or never")
        return self.epoch_iterations

    def set_length(self, length: int) -> None:
        """Let epochs have ``length`` samples, from the next one on.

        Raises:
            ParameterError: it is out of range, or epochs of this loader have no length.
        """
        _at_least(1, length=length)
        _check_endless(length, self._endless)
        self._length = self._checked(length)
        if self._epoch is None and not self._progress.step and not self._progress.ahead:
            self._progress.length = length

    def set_epoch_iterations(self, iterations: int) -> None:
        """Let epochs have so many full iterations, from the next one on."""
        _at_least(1, iterations=iterations)
        self.set_length(iterations * self._plan.global_batch)

    def _checked(self, length: int | None) -> int | None:
        """Return the length of an epoch, if it goes together with the samples and the arguments."""
        if isinstance(self._source, Requests):
            if length is not None or self._endless or self._plan.world_size > 1:
                raise ParameterError(
                    "yield_requests() says itself what an epoch is of, on this rank: no length, endless or world_size "
                    "(under torchrun: world_size=1)"
                )
        elif self._arrival and self._source.flows(length):
            raise ParameterError(
                "order='arrival' over an iterable whose epochs go on where the last one was broken off: what arrived "
                "early would come twice; use order='position'"
            )
        if length is not None:
            self._plan.check(length)
        return length

    def _place(self, iteration: int) -> Progress:
        """Return the progress of a loader whose next iteration this is."""
        _at_least(0, start_iteration=iteration, position=iteration * self._plan.global_batch)
        if self._length is None or self.epoch_iterations is None:
            return Progress(iteration, 0, 0, iteration)
        epoch, step = divmod(iteration, self.epoch_iterations)
        return Progress(iteration, epoch, epoch * self._length, step, length=self._length)

    # ---- state

    def state_dict(self) -> dict[str, Any]:
        """Return where the stream is, as plain data: after what was handed out last.

        Another loader over the same dataset goes on there, with any number of workers, any transport, and any
        ``world_size``, since positions count the samples of all ranks.
        """
        progress = self._progress
        if progress.length is not None and progress.step >= self._plan.steps(progress.length):
            progress = replace(progress, ahead=set())
            progress.next_epoch(self._next_origin(), self._length)
        return state_of(progress, self._stream())

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Go on where ``state`` is; the next ``for`` makes what is left of its epoch.

        Nothing is read or made again, except that a plain iterable is read up to the position. Where the number of
        ranks has changed, ``batch_size`` becomes what keeps the global batch.

        Raises:
            StateError: it is no state, or (unless ``strict`` is ``False``) of another stream: the text lists what
                differs.
        """
        progress = progress_of(state, self._stream(), strict)
        self._rescale(int(state["global_batch"]))
        self._epoch = None
        self._progress = progress

    def _stream(self) -> dict[str, Any]:
        return {
            "samples": self._source.length,
            "length": self._length,
            "seed": self.seed,
            "last_batch": self._plan.last,
            "endless": self._endless,
            "global_batch": self._plan.global_batch,
            "num_mini_batches": self._plan.parts,
            **self._parts.fingerprint(),
        }

    def _rescale(self, global_batch: int) -> None:
        plan = self._plan
        if global_batch == plan.global_batch:
            return
        batch_size, rest = divmod(global_batch, plan.world_size)
        if rest or batch_size % plan.parts or not batch_size:
            raise StateError(
                f"the state's global batch of {global_batch} cannot be divided among {plan.world_size} ranks "
                f"in {plan.parts} mini-batches"
            )
        log.warning("batch_size is %d instead of %d, which keeps the global batch", batch_size, plan.batch_size)
        self.close()
        self._plan = replace(plan, batch_size=batch_size)
        self._engine, self._feeding, self._source = self._made()

    def _made(self) -> tuple[Engine, Feeding, Any]:
        """Return what makes batches of the plan's size, what takes them, and what says of which samples they are."""
        parts, plan, chosen = self._parts, self._plan, self._shared_memory
        layout = Layout.of(specs_of(parts.worker.buffers, self._policy.mask), plan.rows)
        depth = 4 if layout.size <= _SMALL_SLOT else 2
        guests = _GUESTS if getattr(self._pool.transport, "joins", False) else 0
        by_workers = (self._pool.nworkers + guests) * depth + 2 * plan.parts
        slots = by_workers if isinstance(chosen, bool) or not chosen else chosen
        shared = bool(chosen) and self._pool.nworkers > 0
        settings = Settings(slots, depth, self.seed, shared, self._policy, self._poison_after, self._trace)
        engine = Engine(parts, self._pool, self._own_pool, layout, settings)
        window = (slots + 2) * plan.global_batch
        source = source_of(
            parts.dataset, parts.order, parts.readable, window=window, rows=plan.rows, endless=self._endless
        )
        return engine, Feeding(engine, parts.feed), source

    # ---- iteration

    def __iter__(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        self.start()
        self._end_epoch()
        progress, length = self._progress, self._progress.length
        epoch = self._epoch = object()
        self._feeding.begin(self._stretches(progress))
        self._tolerance.begin(None if length is None else -(-length // self._plan.world_size))
        if length is not None:
            level = logging.INFO if progress.epoch == 0 else logging.DEBUG
            log.log(level, "epoch %d: %s", progress.epoch, self._plan.describe(length))
        try:
            while (found := self._iteration(epoch)) is not None:
                mini_batches, handed = found
                self._feeding.look_ahead(self._plan.parts, self._arrival)
                progress.handed_out(handed, self._plan.parts)
                began = time.monotonic_ns()
                yield progress.iteration - 1, mini_batches
                if self._trace is not None:
                    self._trace.consumer("step", began, time.monotonic_ns(), iteration=progress.iteration - 1)
                del mini_batches, found  # or this frame would hold the slots while it waits for the next ones
            self._end_epoch()  # one that is broken off is over when the next one begins: its state can be asked for
        finally:
            if self._epoch in (epoch, None):
                self._tolerance.end()

    def _stretches(self, progress: Progress) -> Iterator[Stretch]:
        if isinstance(self._source, Requests):
            return self._source.stretches(progress, self._plan.parts)
        return stretches(self._source, self._plan, progress)

    def _end_epoch(self) -> None:
        """Let the next epoch be the one under way."""
        if self._epoch is not None:
            self._epoch = None
            self._progress.next_epoch(self._next_origin(), self._length)

    def _next_origin(self) -> int:
        """Return where this epoch ends, or where it was broken off if samples would be lost."""
        progress, source = self._progress, self._source
        length, flows = progress.length, source.flows(progress.length)
        origin = progress.origin + progress.step * self._plan.global_batch
        if length is not None and (not flows or progress.step >= self._plan.steps(length)):
            origin = progress.origin + length
        if flows and source.ended is not None:  # an iterator may go on later
            origin = min(origin, max(progress.origin, source.ended))
        return origin

    def _iteration(self, epoch: object) -> tuple[list[dict[str, Any]], list[Stretch]] | None:
        """Return the mini-batches of the next iteration and what they are of, or ``None`` at the epoch's end."""
        found: list[dict[str, Any]] = []
        handed: list[Stretch] = []
        while len(handed) < self._plan.parts:
            if self._epoch is not epoch:
                raise LeavenError("this iteration is over: another one over the same loader has begun")
            taken = self._taken()
            if taken is None:
                return (found, handed) if handed else None
            result, fed = taken
            assert result.stretch is not None
            handed.append(result.stretch)
            found.extend(map(self._handed, fed))
            del fed, taken
            if result.stretch.final and not self._arrival:
                break
        return found, handed

    def _taken(self) -> Taken | None:
        began = time.monotonic_ns()
        try:
            taken = self._feeding.take(self._arrival)
        except LeavenError as error:
            self._tolerance.refuse(error, self._pass())
        ended = time.monotonic_ns()
        self.wait_seconds += (ended - began) / 1e9
        if self._trace is not None:
            self._trace.consumer("wait", began, ended, iteration=self._progress.iteration)
        if taken is not None:
            self._count(taken[0])
        return taken

    def _pass(self) -> int | None:
        """Return which pass over the dataset the next iteration is of; ``None`` where it may be of several."""
        progress, order = self._progress, self._parts.order
        if order is None:
            return None if self._source.flows(progress.length) else progress.epoch
        end = None if progress.length is None else progress.origin + progress.length
        start, stop = progress.origin, end
        if not self._arrival:
            start += progress.step * self._plan.global_batch
            stop = start + self._plan.global_batch if end is None else min(start + self._plan.global_batch, end)
        one = stop is not None and start // order.length == (stop - 1) // order.length
        return start // order.length if one else None

    def _count(self, result: Result) -> None:
        assert result.stretch is not None
        self._tolerance.passed(len(result.stretch.indices))
        if result.counts:
            self.counts.update(result.counts)
        for row, fields in result.failures:
            error = rebuilt(0, fields)
            epochs = result.stretch.epochs
            if not hasattr(error, "index") or not 0 <= row < len(epochs):
                raise error
            self._tolerance.count(error, epoch_of(epochs[row]), fields.get("substitute"))  # type: ignore[arg-type]

    def _handed(self, fed: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return fed() if self._transform is None else self._transform(fed())

    # ---- life

    def workers(self) -> list[Doing]:
        """Return what each worker is on; nothing before the start."""
        return self._pool.workers()

    def start(self) -> None:
        """Start the workers. Done by ``with`` and by the first iteration."""
        if self._finalizer is None:
            self._engine.start()
            self._finalizer = weakref.finalize(self, self._engine.close, wait=False)
            self._finalizer.atexit = False  # the pool's supervisor sees to that, and waits

    def close(self) -> None:
        """Stop the workers and give back everything; batches that are still held stay valid."""
        if self._finalizer is not None:
            self._finalizer.detach()
            self._finalizer = None
            self._feeding.close()
            self._engine.close()

    def __enter__(self) -> TurboDataLoader:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _masks(plan: Plan, on_error: str) -> bool:
    """Return whether batches may have rows without a sample."""
    return on_error != "raise" or plan.last == "pad" or (plan.world_size > 1 and plan.last == "keep")


def _check_together(length: int | None, endless: bool, order: str, shuffle: bool, sampler: Any) -> None:
    if order not in ("position", "arrival"):
        raise ParameterError(f"order={order!r}: expected 'position' or 'arrival'")
    _check_endless(length, endless)
    if shuffle and sampler is not None:
        raise ParameterError("shuffle=True and a sampler: the sampler alone says which sample comes when")


def _check_endless(length: int | None, endless: bool) -> None:
    if endless and length is not None:
        raise ParameterError("endless=True: an epoch has no end, and so no length")


def _check_kinds(seed: Any, shared_memory: Any, transform: Any, trace: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ParameterError(f"seed={seed!r}: expected a whole number")
    if not isinstance(shared_memory, int) or shared_memory < 0:
        raise ParameterError(f"shared_memory={shared_memory!r}: expected True, False, or a number of mini-batches")
    if transform is not None and not callable(transform):
        raise ParameterError(f"transform={transform!r}: expected a function of a mini-batch")
    if trace is not None and not all(callable(getattr(trace, name, None)) for name in ("worker", "consumer")):
        raise ParameterError(f"trace={trace!r}: expected a leaven.stream.tracing.Trace, or what has its methods")


def _at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < _ENDS:
            raise ParameterError(f"{name}={value!r}: expected a whole number, at least {least} and less than 2**62")
