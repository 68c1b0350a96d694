"""TurboDataLoader: batches from a dataset, made by workers. Here the registry's wing and the stream's wing meet."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaven.errors import LeavenError, ParameterError
from leaven.stream.arena import Layout
from leaven.stream.engine import Engine
from leaven.stream.parts import Parts
from leaven.stream.sources import Source, Stretch, source_of

if TYPE_CHECKING:
    from leaven.protocols import Collator, Feed, Transport
    from leaven.registry.registry import Registry

_SMALL_SLOT = 1 << 20  # bytes; batches below it are made in a few ms, so workers need more of them at hand


class TurboDataLoader:
    """Feeds batches that workers make from a dataset.

    ::

        with TurboDataLoader(dataset, 64, worker, nworkers=2, shuffle=True) as loader:
            for iteration, mini_batches in loader:      # one epoch
                for sample in mini_batches:             # a dict: image, label, augmentation
                    ...

    The stream is a pure function of the dataset, ``seed`` and the position in it: it does not depend on the number of
    workers or on the transport. One ``for`` is one epoch; one that was broken off is not continued, except where the
    samples come from an iterator that cannot be started again.

    Args:
        dataset: a dataset (instance, spec string or table), anything with ``len`` and integer positions, or an
            iterable. Samples are packed msgpack messages or mappings.
        batch_size: samples in one iteration.
        worker: instance, spec string or table of kind ``worker``.
        nworkers: number of workers; 0 works in this process.
        length: samples in one epoch; by default those of the dataset. Epochs of another length follow each other in the
            endless stream of passes over the dataset.
        num_mini_batches: into how many equal parts an iteration is cut; must divide ``batch_size``.
        start_iteration: number of the first iteration: the stream goes on there, within the epoch that it falls into.
        shared_memory: ``True``, or how many mini-batches it holds; ``False`` sends arrays through the transport.
        transport: spec, table or instance of kind ``transport``.
        feed: spec, table or instance of kind ``feed``.
        collators: specs, tables or instances of kind ``collator``; each mini-batch goes through them, in this order.
        max_restarts: how many worker processes may be replaced, in all, after they have died. Their batches are made
            again by others, the same to the last bit. One more death is a :class:`~leaven.errors.WorkerError`.
        seed: of shuffling and augmentation.
        shuffle: a new order for each pass; needs a dataset with positions.
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
        nworkers: int,
        length: int | None = None,
        num_mini_batches: int = 1,
        start_iteration: int = 0,
        shared_memory: bool | int = True,
        transport: Transport | str | Mapping[str, Any] = "zeromq",
        feed: Feed | str | Mapping[str, Any] = "numpy",
        collators: Sequence[Collator | str | Mapping[str, Any]] = (),
        max_restarts: int = 0,
        seed: int = 0,
        shuffle: bool = False,
        registry: Registry | None = None,
    ) -> None:
        _at_least(0, max_restarts=max_restarts)
        _check(batch_size, nworkers, num_mini_batches, start_iteration, length, shared_memory)
        self.batch_size = batch_size
        self.num_mini_batches = num_mini_batches
        self.rows = batch_size // num_mini_batches
        """Samples in a mini-batch."""
        self.seed = seed
        self.wait_seconds = 0.0
        """How long the consumer has waited for batches, in all."""

        self._parts = parts = Parts.of(registry, dataset, worker, collators, transport, feed, nworkers)
        workers = max(1, nworkers)
        layout = Layout.of(parts.worker.buffers, self.rows)
        depth = 4 if layout.size <= _SMALL_SLOT else 2
        chosen = 0 if isinstance(shared_memory, bool) else shared_memory
        slots = chosen or workers * depth + 2 * num_mini_batches
        self._engine = Engine(parts, layout, slots, depth, workers, seed, bool(shared_memory), max_restarts)
        self._source: Source = source_of(
            parts.dataset,
            readable=parts.readable,
            seed=seed,
            shuffle=shuffle,
            window=(slots + 1) * self.rows,
        )
        self._length = length if length is not None else self._source.length
        self._iteration = start_iteration
        self._position, self._within = self._place(start_iteration)
        self._epoch: _Epoch | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None

    # ---- epochs

    @property
    def epoch_iterations(self) -> int | None:
        """Iterations in one epoch; ``None`` where the epoch ends when the iterable does."""
        return None if self._length is None else -(-self._length // self.batch_size)

    def __len__(self) -> int:
        if self.epoch_iterations is None:
            raise TypeError("the samples have no length: an epoch ends when they do")
        return self.epoch_iterations

    def set_length(self, length: int) -> None:
        """Let epochs have ``length`` samples, from the next one on."""
        _at_least(1, length=length)
        self._length = length

    def set_epoch_iterations(self, iterations: int) -> None:
        """Let epochs have so many full iterations, from the next one on."""
        _at_least(1, iterations=iterations)
        self.set_length(iterations * self.batch_size)

    def _place(self, iteration: int) -> tuple[int, int]:
        """Return the position in the stream where an iteration begins, and how far into its epoch that is."""
        if self._length is None or self.epoch_iterations is None:
            return iteration * self.batch_size, 0
        epochs, within = divmod(iteration, self.epoch_iterations)
        return epochs * self._length + within * self.batch_size, within * self.batch_size

    # ---- iteration

    def __iter__(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        self.start()
        self._end_epoch()
        start, within = self._position, self._within
        end = None if self._length is None else start - within + self._length
        flows = self._source.flows(self._length)
        epoch = self._epoch = _Epoch(start, end, flows)
        self._engine.begin(_stretches(self._source, self.rows, start, end, within, flows))
        try:
            while (mini_batches := self._mini_batches(epoch)) is not None:
                epoch.position += self.batch_size
                self._iteration += 1
                yield self._iteration - 1, mini_batches
                del mini_batches  # or this frame would hold the slots while it waits for the next ones
        finally:
            if self._epoch is epoch:
                self._end_epoch()

    def _end_epoch(self) -> None:
        """Let the next epoch begin where this one ends, or where it was broken off if samples would be lost."""
        if self._epoch is None:
            return
        position, end = self._epoch.position, self._epoch.end
        self._position = position if end is None else min(position, end) if self._epoch.flows else end
        self._within = 0
        self._epoch = None

    def _mini_batches(self, epoch: _Epoch) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = []
        for part in range(self.num_mini_batches):
            if epoch.end is not None and epoch.position + part * self.rows >= epoch.end:
                break
            if self._epoch is not epoch:
                raise LeavenError("this iteration is over: another one over the same loader has begun")
            began = time.perf_counter()
            samples = self._engine.take()
            self.wait_seconds += time.perf_counter() - began
            if samples is None:
                return found or None
            found.extend(self._parts.feed(sample) for sample in samples)
            del samples
        return found if epoch.end is None or epoch.position < epoch.end else None

    # ---- life

    def start(self) -> None:
        """Start the workers. Done by ``with`` and by the first iteration."""
        if self._finalizer is None:
            self._engine.start()
            self._finalizer = weakref.finalize(self, self._engine.close)

    def close(self) -> None:
        """Stop the workers and give back everything; batches that are still held stay valid."""
        if self._finalizer is not None:
            self._finalizer()
            self._finalizer = None

    def __enter__(self) -> TurboDataLoader:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@dataclass
class _Epoch:
    """The epoch under way: where its next iteration begins, where it ends, and whether the next goes on from there."""

    position: int
    end: int | None
    flows: bool


def _stretches(
    source: Source, rows: int, start: int, end: int | None, within: int, flows: bool
) -> Iterator[Stretch]:
    """Yield the mini-batches of an epoch. Whoever iterates is the only one to touch the source.

    A function of its own, since it outlives the loader's frames: it must not keep the loader alive.
    """
    source.begin(start, within, flows)
    while end is None or start < end:
        wanted = rows if end is None else min(rows, end - start)
        stretch = source.stretch(start, start + wanted)
        if stretch.indices:
            yield stretch
        if len(stretch.indices) < wanted:
            return
        start += wanted


def _check(
    batch_size: int,
    nworkers: int,
    num_mini_batches: int,
    start_iteration: int,
    length: int | None,
    shared_memory: bool | int,
) -> None:
    _at_least(1, batch_size=batch_size, num_mini_batches=num_mini_batches, length=1 if length is None else length)
    _at_least(0, nworkers=nworkers, start_iteration=start_iteration, shared_memory=int(shared_memory))
    if batch_size % num_mini_batches:
        raise ParameterError(f"batch_size {batch_size} is not divisible by num_mini_batches={num_mini_batches}")


def _at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ParameterError(f"{name}={value!r}: expected a whole number, at least {least}")
