"""Schedule: the mini-batches of one epoch, one after the other, and how far a loader has got in the stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from leaven.stream.plan import Plan
from leaven.stream.sources import Source, Stretch


@dataclass
class Progress:
    """How far a loader has got: what the consumer has been handed, not what was made ahead of it.

    Attributes:
        iteration: number of the next iteration.
        epoch: number of the epoch under way, or of the next one.
        origin: position in the stream of that epoch's first sample.
        step: iterations of it that were handed out, up to the first one that was not.
        ahead: mini-batches beyond these that were handed out, by their place in the epoch.
        length: samples of that epoch; ``None`` where it ends when they do, or never.
    """

    iteration: int = 0
    epoch: int = 0
    origin: int = 0
    step: int = 0
    ahead: set[int] = field(default_factory=set)
    length: int | None = None

    def handed_out(self, handed: Sequence[Stretch], parts: int) -> None:
        """An iteration was handed out: these mini-batches. A full step has ``parts`` of them, the last one may not."""
        self.iteration += 1
        for stretch in handed:
            end = (stretch.ordinal // parts + 1) * parts if stretch.final else stretch.ordinal + 1
            self.ahead.update(range(stretch.ordinal, end))
        while all(self.step * parts + part in self.ahead for part in range(parts)):
            self.ahead.difference_update(range(self.step * parts, (self.step + 1) * parts))
            self.step += 1

    def next_epoch(self, origin: int, length: int | None) -> None:
        """The epoch is over; the next one begins at ``origin`` and has ``length`` samples."""
        self.epoch += 1
        self.origin, self.step, self.length = origin, 0, length
        self.ahead.clear()


def stretches(source: Source, plan: Plan, progress: Progress) -> Iterator[Stretch]:
    """Yield the mini-batches of the epoch under way from ``progress`` on.

    Whoever iterates is the only one to touch the source. A function of its own, since it outlives the loader's frames:
    it must not keep the loader alive.
    """
    origin, step, ahead = progress.origin, progress.step, frozenset(progress.ahead)
    end = None if progress.length is None else origin + progress.length
    skip = step * plan.global_batch
    source.begin(progress.epoch, origin + skip, skip, source.flows(progress.length))
    while True:
        first = origin + step * plan.global_batch
        stop = first + plan.global_batch
        left = source.reach(stop if end is None else min(stop, end)) - first
        shares = plan.shares(step, None if left == plan.global_batch else left)
        for part, share in enumerate(shares):
            ordinal = step * plan.parts + part
            if ordinal not in ahead:
                pieces = [(origin + begin, origin + stop) for begin, stop in share.pieces]
                stretch = source.stretch(pieces, share.rows)
                yield stretch._replace(final=part == len(shares) - 1, ordinal=ordinal)
        if left < plan.global_batch:
            return
        step += 1
