"""The bases of workers: Worker for full control, BufferWorker to fill one row of a batch at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.errors import LeavenError, ParameterError, SampleError, text_of
from leaven.stream.buffers import BufferSpec, SpecLike, buffer_spec
from leaven.stream.order import LAST_EPOCH, epoch_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaven.stream.randomness import Streams


class Item(NamedTuple):
    """One appearance of a sample in the stream.

    ``index`` is its position in the dataset, ``epoch`` as in :class:`leaven.stream.order.Cells` (together they are the
    cell that its randomness is keyed by), ``key`` its name or ``""``, ``data`` its content.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    epoch: int
    key: str
    data: bytes | Mapping[str, Any]


def _raised(row: int, error: SampleError) -> None:
    raise error


def _unheard(index: int, stage: str, since: int | None = None) -> None:
    pass


class Request(NamedTuple):
    """One unit of work: the samples of one mini-batch and the arrays that they go to.

    ``arrays`` hold one row for each sample and are already filled with each buffer's fill value. ``samples`` reads as
    it is iterated, once. ``position`` is that of the first sample in the stream. A worker that reads all samples before
    it works on them tells ``doing(index, stage)`` on which it is (a stage of :data:`leaven.stream.board.STAGES`), for
    the report if it dies or hangs, and for traces; a third argument says since when, in ns of the monotonic clock.
    Native code that works on many samples writes into ``progress`` instead, three words in shared memory: 1 + index of
    the sample, stage (which it leaves as it is), since when. Where that is ``None`` it gets one sample at a time.

    A row that cannot be made is given up by ``reject(row, error)``: the worker goes on with the others, and what
    becomes of the row is the loader's policy. A :class:`~leaven.errors.SampleError` that is raised instead gives up the
    whole request, which is then made again without that sample.
    """

    position: int
    samples: Iterable[Item]
    rows: int
    arrays: Mapping[str, NDArray[Any]]
    streams: Streams
    doing: Callable[..., None] = _unheard
    reject: Callable[[int, SampleError], None] = _raised
    progress: memoryview | None = None


class Row:
    """What :meth:`BufferWorker.prepare` knows of its row besides the sample.

    Attributes:
        index: position of the sample in the dataset.
        key: the sample's key, or ``""``.
        epoch: how many passes over the dataset came before this appearance of the sample.
        doing: takes ``(index, stage)``, as that of the request.
        entries: what was appended, as list and value; ``None`` once the row was given up.
    """

    __slots__ = ("_appearance", "_streams", "doing", "entries", "epoch", "index", "key")

    def __init__(self, item: Item, streams: Streams) -> None:
        self._appearance = appearance = item.epoch
        self.epoch = appearance if appearance <= LAST_EPOCH else epoch_of(appearance)
        self.index = item.index
        self.key = item.key
        self.doing: Callable[..., None] = _unheard
        self.entries: list[tuple[str, Any]] | None = []
        self._streams = streams

    @property
    def cell(self) -> tuple[int, int]:
        """Two numbers that the row's randomness is keyed by: others for each appearance of each sample."""
        return self._appearance, self.index

    @property
    def random(self) -> np.random.Generator:
        """The row's generator, at the start of its cell: the same numbers in any worker, on any attempt."""
        return self.random_for("")

    def random_for(self, op: str) -> np.random.Generator:
        """The generator of ``op`` for this row, at the start of its cell."""
        return self._streams.at(op, self._appearance, self.index)

    def append(self, key: str, value: Any) -> None:
        """Add a value to the batch's list ``key``, which has one entry for each row."""
        if self.entries is not None:
            self.entries.append((key, value))


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

    def tally(self) -> Mapping[str, int]:
        """Return how often what has happened since the last call; the loader adds it up in ``counts``."""
        return {}

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
        """Fill the rows in order; return the arrays, and the lists that were appended to.

        A row that fails is given up; the lists have ``None`` in its place.
        """
        rows = []
        for place, item in enumerate(request.samples):
            row = Row(item, request.streams)
            rows.append(row)
            with giving_up(request, place, row):
                sample = opened(item, row)
                request.doing(item.index, "prepare")
                self.prepare(sample, row, row_views(request, place))
        return {**request.arrays, **aligned(rows)}


def opened(item: Item, row: Row) -> Mapping[str, Any]:
    """Return the unpacked sample, and give the row the key that is in it, where the item had none.

    Raises:
        SampleError: the sample cannot be unpacked.
    """
    sample = unpacked(item)
    if not row.key:
        row.key = str(sample.get("key", ""))
    return sample


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


class giving_up:  # noqa: N801 - reads as a statement: with giving_up(request, place, row): ...
    """Context in which any exception gives up row ``place`` of the request, by a ``SampleError`` that names the sample.

    What the row has appended is dropped. ``KeyboardInterrupt`` and ``MemoryError`` pass.
    """

    def __init__(self, request: Request, place: int, row: Row) -> None:
        self._request = request
        self._place = place
        self._row = row

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        if error is None or isinstance(error, (KeyboardInterrupt, MemoryError)):
            return False
        self._row.entries = None
        self._request.reject(self._place, _named(error, self._row))
        return True


def _named(error: BaseException, row: Row) -> SampleError:
    if isinstance(error, SampleError):
        if error.index is not None:
            return error
        message, stage, cause = error.message, error.stage, error.cause_type
    else:
        message, stage, cause = text_of(error), "prepare", type(error).__name__
    named = SampleError(message, index=row.index, key=row.key, stage=stage, cause_type=cause)
    named.__cause__ = error
    return named


def aligned(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return the lists that rows have appended to, with ``None`` in the place of each row that was given up.

    Raises:
        ParameterError: a row has not appended exactly once to a list.
    """
    keys = dict.fromkeys(key for row in rows for key, _ in row.entries or ())
    lists: dict[str, list[Any]] = {key: [None] * len(rows) for key in keys}
    for place, row in enumerate(rows):
        if row.entries is None:
            continue
        if not len(keys) == len(row.entries) == len(dict(row.entries)):
            raise _misaligned(row, row.entries, keys)
        for key, value in row.entries:
            lists[key][place] = value
    return lists


def _misaligned(row: Row, entries: Sequence[tuple[str, Any]], keys: Iterable[str]) -> ParameterError:
    times = {key: sum(key == name for name, _ in entries) for key in keys}
    key = next(key for key in keys if times[key] != 1)
    return ParameterError(f"list {key!r} has {times[key]} entries of sample {row.index}: append once for each row")


def single_batches(result: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None) -> Iterator[Mapping[str, Any]]:
    """Yield the batches of what :meth:`Worker.process` returned."""
    if result is None:
        return
    if isinstance(result, Mapping):
        yield result
    else:
        yield from result
