"""Data: where samples are, which comes when, and work on all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@runtime_checkable
class Dataset(Protocol):
    """Samples in one format, read at random by position.

    One that keeps them in a file may say by ``offset(index) -> int`` where in it the bytes of a sample begin, from any
    thread: lists of samples that failed tell it.

    One that can read a part of a sample alone has ``getitem_NAME(index, ctx=None)`` for it, and ``getall_NAME()`` where
    it has all of that at once; ``class_names`` are those of the classes, in the order of their labels. See
    :mod:`leaven.data.getters`.

    A format has ``suffixes``, those of its files, ``companions``, what is appended to a file's name for those that lie
    beside it, and ``write(path, samples, *, overwrite=False)``, a class method that takes samples one by one, as
    mappings or packed messages, and returns how many there were; further parameters have names.
    """

    def __len__(self) -> int:
        """Return the number of samples, without reading them."""

    def sample(self, index: int) -> bytes | Mapping[str, Any]:
        """Return sample ``index`` (``0 <= index < len``): a mapping, or one as a packed msgpack message."""

    def key(self, index: int) -> str:
        """Return the sample's unique name."""

    def close(self) -> None:
        """Give back files and memory; the next access opens them again."""


class Pass(Protocol):
    """The passes over a dataset that a sampler has laid out.

    One that may show a sample several times in a pass has ``repeats = True``: each time it is augmented anew.
    """

    @property
    def length(self) -> int:
        """How many samples one pass has, at least 1."""

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which samples of the dataset come at ``ranks`` (1-D, ``0 <= rank < length``) of pass ``epoch``.

        A pure function: any ranks of any pass are asked for, in any order, by other processes as well, and have the
        same answer each time. ``ranks`` is not changed.
        """


@runtime_checkable
class Sampler(Protocol):
    """Says which sample of a dataset comes when."""

    def over(self, dataset: Any, seed: int) -> Pass:
        """Return the passes over ``dataset``, which has a ``len``.

        Called once, in the loader's process. What is left to chance comes from ``seed`` (any integer) and the epoch.
        """


@runtime_checkable
class Cache(Protocol):
    """Keeps bytes by name. Whatever it has kept it may have forgotten by the next time."""

    def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, or ``None``."""

    def put(self, key: str, value: bytes) -> bool:
        """Keep ``value`` under ``key``; return whether there was room for it. What is kept already stays."""

    def clear(self) -> None:
        """Forget everything that was put into it, and nothing else that lies in the same place."""

    def close(self) -> None:
        """Give back files, connections and memory of this process; the next access opens them again."""


@runtime_checkable
class Job(Protocol):
    """Work on a dataset, cut into blocks. Each is a pure function of its number: to run it twice does no harm."""

    @property
    def blocks(self) -> int:
        """How many blocks there are."""

    def run(self, block: int, folder: Path) -> Mapping[str, Any]:
        """Do ``block``, leave its files in ``folder`` under names of its own, and return its manifest.

        A file takes its name once it is whole. The manifest is plain data: what was made, and what was found.
        """


class Engine(Protocol):
    """Does the blocks of a job."""

    def run(self, job: Job, blocks: Sequence[int], folder: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
        """Yield block and manifest as they are done, in any order.

        A block that was lost, as with the machine that it ran on, is run again. Its own error ends the work: a
        :class:`~leaven.errors.SampleError` is raised as it is, with a note that names the block.
        """
