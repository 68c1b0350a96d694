"""The stream: what makes batches, carries messages and hands batches out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

    from leaven.stream.buffers import BufferSpec
    from leaven.stream.worker import Request

    Sample = dict[str, Any]


@runtime_checkable
class Worker(Protocol):
    """Turns packed samples into rows of a batch. Use the bases in :mod:`leaven.stream.worker`."""

    @property
    def buffers(self) -> Mapping[str, BufferSpec]:
        """The arrays of a batch: key -> shape and dtype of one row, and what an unfilled row holds."""

    def setup(self) -> None:
        """Open, allocate and warm up, once, in the process or thread that will do the work."""

    def process(self, request: Request) -> Mapping[str, Any] | Iterable[Mapping[str, Any]] | None:
        """Fill the request's arrays; return the batch, any number of batches, or ``None``."""


@runtime_checkable
class Collator(Protocol):
    """Changes a whole batch, in the worker that has made it.

    One that mixes samples, or leaves something to chance otherwise, may have a method ``without_chance() -> Collator``,
    which returns what is used in its place in validation.

    ``batch["valid"]``, a bool for each row, may be there: a row where it is ``False`` holds no sample, but fill values
    in arrays and ``None`` in lists. Nothing of such a row may get into another one, and the mask stays as it is.
    """

    def collate(self, batch: Sample, random: np.random.Generator) -> Sample:
        """Return the batch, with arrays of ``(rows, ...)`` and lists of as many entries as there are rows.

        Arrays may be changed in place. A new one travels in the message.
        ``random`` is keyed by the batch's place in the stream.
        """


@runtime_checkable
class Feed(Protocol):
    """Hands a finished batch to the consumer."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the batch as the consumer wants it. Arrays that are passed in stay valid while anything shows them."""


@runtime_checkable
class Augmenter(Protocol):
    """Does ops to a whole batch on its device, with the values that workers have drawn for each sample."""

    ops: tuple[str, ...]
    """Names of the ops that it does, as :attr:`Op.name <leaven.protocols.Op>`: those that workers may leave to it."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample with its image changed, ``(rows, channels, height, width)``.

        ``sample["augmentation"]`` has one dict of values for each row; what it says under ``gpu_augmentation`` is which
        ops the worker has left out: ``True`` for all, or a list of names.
        """


class Channel(Protocol):
    """A worker's end of a transport."""

    def receive(self) -> bytes | None:
        """Wait for the next message; return ``None`` once the loader has gone."""

    def send(self, message: bytes) -> None:
        """Send a message to the loader."""

    def close(self) -> None:
        """Give back everything."""


class Transport(Protocol):
    """Carries small messages between the loader and its workers. It knows nothing of images.

    One of ``connect`` (the workers are processes of their own) and ``handlers`` (they run within this process)
    is used, as ``in_process`` says.

    A transport that workers of other hosts may join has ``joins = True``. Their numbers begin with ``nworkers`` and are
    never used again; the first message of each is a ``Hello``. It further has ``gone() -> list[int]``: those who have
    vanished since it was last asked, and ``blame(worker)``: told of one who sends what makes no sense.
    """

    in_process: bool
    """Whether workers run in this process, within :meth:`wait` or in threads of the transport."""

    concurrent: bool
    """Whether workers work while nobody waits."""

    def open(self, nworkers: int, handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None) -> None:
        """Get ready for ``nworkers`` workers; ``handlers[i]`` answers worker ``i``'s messages if it is in-process."""

    def address(self, worker: int) -> Mapping[str, Any]:
        """Return what :meth:`connect` needs in worker ``worker``'s process, as plain data."""

    def connect(self, address: Mapping[str, Any]) -> Channel:
        """Return the worker's end. Called in the worker's process."""

    def renew(self, worker: int) -> None:
        """Forget what is on its way to ``worker``, which has died; :meth:`address` is for its successor from now on."""

    def send(self, worker: int, message: bytes) -> bool:
        """Send without ever blocking; return ``False`` where the worker cannot take it now."""

    def receive(self) -> list[tuple[int, bytes]]:
        """Return all ``(worker, message)`` that have arrived, without waiting."""

    def wait(self, fds: Sequence[int], timeout: float | None) -> list[int]:
        """Return the readable ones of ``fds``, after at most ``timeout`` seconds.

        Return early when a message has arrived, or when a worker can take one after :meth:`send` returned ``False``.
        """

    def close(self) -> None:
        """Drop what is in flight and give back everything, at once."""
