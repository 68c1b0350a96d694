"""The bases of workers: Worker for full control, BufferWorker to fill one row of a batch at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.stream.buffers import BufferSpec, SpecLike, buffer_spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaven.stream.randomness import Streams


class Item(NamedTuple):
    """One appearance of a sample in the stream.

    ``index`` is its position in the dataset, ``epoch`` how many times the whole dataset came before it (together they
    are the cell that its randomness is keyed by), ``key`` its name or ``""``, ``data`` its content.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    epoch: int
    key: str
    data: bytes | Mapping[str, Any]


class Request(NamedTuple):
    """One unit of work: the samples of one mini-batch and the arrays that they go to.

    ``arrays`` hold one row for each sample and are already filled with each buffer's fill value. ``samples`` reads as
    it is iterated, once. ``position`` is that of the first sample in the stream. A worker that reads all samples before
    it works on them tells ``started(index)`` on which it is, for the error if it dies.
    """

    position: int
    samples: Iterable[Item]
    rows: int
    arrays: Mapping[str, NDArray[Any]]
    streams: Streams
    started: Callable[[int], None] = lambda index: None


class Row:
    """What :meth:`BufferWorker.prepare` knows of its row besides the sample.

    Attributes:
        index: position of the sample in the dataset.
        key: the sample's key, or ``""``.
        epoch: how many times the whole dataset came before this appearance of the sample.
    """

    __slots__ = ("_lists", "_streams", "epoch", "index", "key")

    def __init__(self, item: Item, streams: Streams, lists: dict[str, list[Any]]) -> None:
        self.epoch = item.epoch
        self.index = item.index
        self.key = item.key
        self._streams = streams
        self._lists = lists

    @property
    def random(self) -> np.random.Generator:
        """The row's generator, at the start of its cell: the same numbers in any worker, on any attempt."""
        return self.random_for("")

    def random_for(self, op: str) -> np.random.Generator:
        """The generator of ``op`` for this row, at the start of its cell."""
        return self._streams.at(op, self.epoch, self.index)

    def append(self, key: str, value: Any) -> None:
        """Add a value to the batch's list ``key``, which has one entry for each row."""
        self._lists.setdefault(key, []).append(value)


class Worker:
    """Base of all workers: a constructor that only keeps parameters, ``setup`` that opens, ``process`` that works.

    An instance remembers the arguments that it was made with, so that other processes can make the same one.
    """

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Worker:  # noqa: D102
        self = super().__new__(cls)
        self._arguments = (args, kwargs)
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the constructor, by name."""
        args, kwargs = self._arguments
        bound = inspect.signature(type(self)).bind(*args, **kwargs).arguments
        return dict(bound)

    @property
    def buffers(self) -> Mapping[str, BufferSpec]:
        """The arrays of a batch; none by default."""
        return {}

    def setup(self) -> None:
        """Open, allocate and warm up, once, in the process or thread that will do the work."""

    def process(self, request: Request) -> Mapping[str, Any] | Iterable[Mapping[str, Any]] | None:
        """Work on ``request``; return a batch, any number of batches, or ``None``.

        A batch maps keys to arrays and lists. What is written into ``request.arrays`` and returned from there is not
        copied; everything else travels in the message.
        """
        raise LeavenError(f"{type(self).__name__} does not define process(request)")


class BufferWorker(Worker):
    """Base of workers that fill one row at a time.

    Subclasses declare arrays with :meth:`add_buffer` (and parameters for them with :meth:`add_params`) in their
    constructor, and fill rows in :meth:`prepare`::

        class Brightness(BufferWorker):
            def __init__(self, mean=((1,), "float32")):
                self.add_buffer("mean", mean)

            def prepare(self, sample, row, buffers):
                buffers["mean"][:] = np.mean(sample["pixels"])
                row.append("name", row.key)
    """

    _specs: dict[str, BufferSpec]
    params: dict[str, dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> BufferWorker:  # noqa: D102
        self = super().__new__(cls, *args, **kwargs)
        assert isinstance(self, BufferWorker)
        self._specs = {}
        self.params = {}
        return self

    @property
    def buffers(self) -> Mapping[str, BufferSpec]:
        """The arrays that were added, by key."""
        return self._specs

    def add_buffer(self, key: str, spec: SpecLike) -> None:
        """Declare an array of the batch; ``spec`` as :func:`~leaven.stream.buffers.buffer_spec` takes it."""
        try:
            self._specs[key] = buffer_spec(spec)
        except ParameterError as error:
            raise ParameterError(f"{type(self).__name__}: buffer {key!r}: {error}") from error

    def add_params(self, key: str, params: Mapping[str, Any] | None, default: Mapping[str, Any] | None = None) -> None:
        """Keep fixed parameters under ``self.params[key]``; ``default`` where ``params`` is ``None``."""
        self.params[key] = dict(params if params is not None else default or {})

    def prepare(self, sample: Mapping[str, Any], row: Row, buffers: Mapping[str, NDArray[Any]]) -> None:
        """Fill one row: ``buffers`` maps each key to its row, a view that is to be written into.

        Raises:
            SampleError: the sample cannot be used. Any other exception becomes one, with the sample's key.
        """
        raise LeavenError(f"{type(self).__name__} does not define prepare(sample, row, buffers)")

    def process(self, request: Request) -> Mapping[str, Any]:
        """Fill the rows in order; return the arrays, and the lists that were appended to."""
        lists: dict[str, list[Any]] = {}
        for place, packed in enumerate(request.samples):
            item, sample, row = named_row(packed, request.streams, lists)
            with failures_named(item, "prepare"):
                self.prepare(sample, row, row_views(request, place))
        return {**request.arrays, **aligned(lists, request.rows)}


def named_row(item: Item, streams: Streams, lists: dict[str, list[Any]]) -> tuple[Item, Mapping[str, Any], Row]:
    """Return the item with the key that its sample gives it, the unpacked sample, and the row that it fills.

    Raises:
        SampleError: the sample cannot be unpacked.
    """
    sample = unpacked(item)
    if not item.key:
        item = item._replace(key=str(sample.get("key", "")))
    return item, sample, Row(item, streams, lists)


def row_views(request: Request, place: int) -> dict[str, NDArray[Any]]:
    """Return row ``place`` of each array, as views that can be written into, of scalars too."""
    return {key: array[place, ...] for key, array in request.arrays.items()}


def unpacked(item: Item) -> Mapping[str, Any]:
    """Return the content of a sample as a mapping; packed samples are msgpack maps.

    Raises:
        SampleError: it is not a msgpack map (stage ``unpack``).
    """
    if isinstance(item.data, Mapping):
        return item.data
    from leaven.stream.wire import unpack_sample

    try:
        return unpack_sample(item.data)
    except LeavenError as error:
        raise SampleError(str(error), index=item.index, key=item.key, stage="unpack") from error


class failures_named:  # noqa: N801 - reads as a statement: with failures_named(item, "decode"): ...
    """Context in which any exception becomes a :class:`~leaven.errors.SampleError` that names the sample."""

    def __init__(self, item: Item, stage: str) -> None:
        self._item = item
        self._stage = stage

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, (KeyboardInterrupt, MemoryError)):
            return
        if isinstance(error, SampleError):
            if error.index is None:
                raise SampleError(
                    error.message,
                    index=self._item.index,
                    key=self._item.key,
                    stage=error.stage,
                    cause_type=error.cause_type,
                ) from error
            return
        raise SampleError(
            str(error), index=self._item.index, key=self._item.key, stage=self._stage, cause_type=type(error).__name__
        ) from error


def aligned(lists: Mapping[str, Sequence[Any]], rows: int) -> dict[str, list[Any]]:
    """Return the lists, after a check that each has one entry for each row.

    Raises:
        ParameterError: a list is shorter or longer than the batch.
    """
    for key, values in lists.items():
        if len(values) != rows:
            raise ParameterError(f"list {key!r} has {len(values)} entries for {rows} rows: append once for each row")
    return {key: list(values) for key, values in lists.items()}


def single_batches(result: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None) -> Iterator[Mapping[str, Any]]:
    """Yield the batches of what :meth:`Worker.process` returned."""
    if result is None:
        return
    if isinstance(result, Mapping):
        yield result
    else:
        yield from result
