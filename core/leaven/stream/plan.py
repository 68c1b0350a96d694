"""What each rank makes of an epoch: steps, and the mini-batches in them, as pure functions of the position.

A step of training takes one batch on each of ``world_size`` ranks (processes that train together), one global batch in
all. Each rank has a loader of its own, and no rank talks to another: all of them compute the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from leaven.errors import ParameterError, suggestion

LastBatch = Literal["keep", "drop", "pad", "wrap"]
"""What becomes of samples that do not fill a last global batch."""


class Share(NamedTuple):
    """One mini-batch of one rank.

    ``pieces`` are its samples, as stretches ``start <= offset < stop`` that are counted from the start of the epoch, in
    this order. ``rows`` is how many rows the mini-batch has, at least 1; where there are fewer samples, the rows at its
    end are padding.
    """

    pieces: tuple[tuple[int, int], ...]
    rows: int


@dataclass(frozen=True)
class Plan:
    """Which samples of an epoch are in which step, on which rank, in which mini-batch.

    Step ``t`` takes the samples from ``t * global_batch`` on; rank ``r`` has ``batch_size`` of them from
    ``r * batch_size`` on, cut into ``parts`` mini-batches. So with the same ``global_batch``, another number of ranks
    takes the same samples in each step.

    All ranks make the same number of steps, with the same number of mini-batches, also where an epoch ends with a step
    that is not full. ``last`` says how:

    * ``keep``: the samples that are left are divided evenly among the ranks, in their order; each rank fills as few
      mini-batches as the first one needs. A mini-batch for which a rank has no sample left is one row of padding.
    * ``drop``: they are left out.
    * ``pad``: all mini-batches are full; rows without a sample are padding.
    * ``wrap``: all mini-batches are full; the epoch's first samples come once more.

    Args:
        batch_size: samples that one rank has in one step.
        parts: into how many equal mini-batches they are cut.
        rank: of this process.
        world_size: how many ranks there are.
        last: what becomes of the last step where it is not full.

    Raises:
        ParameterError: a value is out of range, or they do not go together. The text has the names of the loader's
            arguments.
    """

    batch_size: int
    parts: int = 1
    rank: int = 0
    world_size: int = 1
    last: LastBatch = "keep"

    def __post_init__(self) -> None:
        _whole("batch_size", self.batch_size, 1)
        _whole("num_mini_batches", self.parts, 1)
        _whole("world_size", self.world_size, 1)
        _whole("rank", self.rank, 0)
        if self.batch_size % self.parts:
            raise ParameterError(f"batch_size {self.batch_size} is not divisible by num_mini_batches={self.parts}")
        if self.rank >= self.world_size:
            raise ParameterError(
                f"rank={self.rank}: with world_size={self.world_size}, ranks are 0 to {self.world_size - 1}"
            )
        if self.last not in get_args(LastBatch):
            hint = suggestion(str(self.last), get_args(LastBatch))
            raise ParameterError(f"last_batch={self.last!r}: expected keep, drop, pad or wrap{hint}")

    @property
    def rows(self) -> int:
        """Rows of a full mini-batch."""
        return self.batch_size // self.parts

    @property
    def global_batch(self) -> int:
        """Samples of a full step on all ranks."""
        return self.batch_size * self.world_size

    def steps(self, length: int) -> int:
        """Return how many steps an epoch of ``length`` samples has, on any rank."""
        return length // self.global_batch if self.last == "drop" else -(-length // self.global_batch)

    def check(self, length: int) -> None:
        """Raise a :class:`~leaven.errors.ParameterError` where an epoch of ``length`` samples would have no step."""
        if self.steps(length) == 0:
            raise ParameterError(
                f"an epoch of {_count(length, 'sample')} has no full step of {self._global_batch()}, so with "
                "last_batch='drop' nothing is left; use a smaller batch_size, or 'keep', 'pad' or 'wrap'"
            )

    def shares(self, step: int, left: int | None) -> list[Share]:
        """Return the mini-batches of this rank in one step.

        Args:
            step: of the epoch, from 0.
            left: samples of the epoch from this step's start on; ``None`` where it has no end.

        Returns:
            The mini-batches in their order; as many on each rank. None where the epoch has no such step.
        """
        start = step * self.global_batch
        if left is None or left >= self.global_batch:
            return self._full(start, start + self.global_batch)
        if left <= 0 or self.last == "drop":
            return []
        if self.last == "keep":
            return self._kept(start, left)
        if self.last == "pad":
            return self._full(start, start + left)
        return self._wrapped(start, start + left)

    def describe(self, length: int) -> str:
        """Return one line on an epoch of ``length`` samples."""
        left = length % self.global_batch
        line = f"{_count(length, 'sample')}: {_count(self.steps(length), 'step')} of {self._global_batch()}"
        if self.parts > 1:
            line += f" in {self.parts} mini-batches"
        if not left:
            return line
        if self.last == "drop":
            return f"{line}; drops the last {_count(left, 'sample')}"
        ending = {
            "keep": "as they are" if self.world_size == 1 else "divided evenly among the ranks",
            "pad": f"padded with {_count(self.global_batch - left, 'row')}",
            "wrap": f"filled up with {self.global_batch - left} from the epoch's start",
        }[self.last]
        return f"{line}; the last one has {_count(left, 'sample')}, {ending}"

    def _full(self, start: int, end: int) -> list[Share]:
        """Return full mini-batches; what is at ``end`` or beyond is padding."""
        return [Share(_stretch(first, min(first + self.rows, end)), self.rows) for first in self._firsts(start)]

    def _kept(self, start: int, left: int) -> list[Share]:
        """Divide the samples evenly; the first ranks have one more where that does not come out even."""
        least, more = divmod(left, self.world_size)
        first = start + self.rank * least + min(self.rank, more)
        end = first + least + (self.rank < more)
        largest = least + (more > 0)
        firsts = range(first, first + largest, self.rows)
        pieces = [_stretch(begin, min(begin + self.rows, end)) for begin in firsts]
        return [Share(piece, sum(stop - begin for begin, stop in piece) or 1) for piece in pieces]

    def _wrapped(self, start: int, length: int) -> list[Share]:
        """Return full mini-batches of an epoch of ``length`` samples that begins again wherever it ends."""
        return [Share(_circle(first, first + self.rows, length), self.rows) for first in self._firsts(start)]

    def _firsts(self, start: int) -> range:
        """Return where this rank's mini-batches begin in the step that begins at ``start``."""
        mine = start + self.rank * self.batch_size
        return range(mine, mine + self.batch_size, self.rows)

    def _global_batch(self) -> str:
        if self.world_size == 1:
            return str(self.batch_size)
        return f"{self.global_batch} ({self.world_size} ranks x {self.batch_size})"


def _stretch(start: int, stop: int) -> tuple[tuple[int, int], ...]:
    return ((start, stop),) if start < stop else ()


def _circle(start: int, stop: int, length: int) -> tuple[tuple[int, int], ...]:
    """Cut ``start <= p < stop`` wherever a multiple of ``length`` lies, and count from there on from 0 again."""
    borders = [start, *range((start // length + 1) * length, stop, length), stop]
    return tuple((a % length, a % length + b - a) for a, b in pairwise(borders))


def _whole(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{name}={value!r}: expected a whole number, at least {least}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
