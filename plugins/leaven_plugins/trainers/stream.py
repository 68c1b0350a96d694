"""Stream: epochs of batches that depend on what the network made of those before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from leaven.errors import StateError
from leaven_plugins.distributed.world import current
from leaven_plugins.trainers.drawing import restore, state_of
from leaven_plugins.trainers.feedback import Feedback

Sample = dict[str, Any]


class Pass(Protocol):
    """One pass over the data."""

    def next_batch(self) -> Sample | None:
        """Return the next batch, ``None`` at the end."""

    def take(self, output: Mapping[str, Any]) -> Any:
        """Take in what the network made of the last batch."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on from here."""


Begin = Callable[[Iterable[Any], Mapping[str, Any] | None], Pass]
"""Begins a pass over data, or goes on with one of this state."""


class Stream:
    """What the standard trainer iterates over: a pass for each epoch.

    An epoch that was left early goes on with the next iteration.

    Args:
        data: what passes go over.
        begin: begins them.
        feedback: gets told who waits for the output of each batch.
    """

    def __init__(self, data: Iterable[Any], begin: Begin, feedback: Feedback[Any]) -> None:
        self._data = data
        self._begin = begin
        self._feedback = feedback
        self._pass: Pass | None = None
        self._iterations: int | None = None
        self._done = 0

    def set_epoch_iterations(self, iterations: int) -> None:
        """Let epochs have so many batches each; passes follow one another, whatever the epoch."""
        self._iterations = iterations

    def __len__(self) -> int:
        if self._iterations is None:
            raise TypeError("how many batches there are depends on the data and the network")
        return self._iterations

    def __iter__(self) -> Iterator[Sample]:
        if self._iterations is None:
            yield from self._one_pass()
            return
        if self._done >= self._iterations:  # the run ended exactly there, and nobody asked for more
            self._done = 0
        while self._done < self._iterations:
            fresh, before = self._pass is None, self._done
            for batch in self._one_pass():
                self._done += 1
                yield batch
                if self._done >= self._iterations:
                    break
            if fresh and self._done == before:
                return  # no data; a pass that was gone on with may just have been at its end
        self._done = 0

    def state_dict(self) -> dict[str, Any]:
        """Return where the epoch is in each process; all of them have to ask."""
        world, own = current(), self._own_state()
        return {"ranks": [own] if world.size == 1 else world.gather(own)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            StateError: the data cannot; the next epoch begins anew.
        """
        self._pass, self._done = None, 0
        world, ranks = current(), state["ranks"]
        if len(ranks) != world.size:
            raise StateError(f"the snapshot is of {len(ranks)} processes, not {world.size}")
        own = ranks[world.rank]
        if "pass" in own:
            self._pass = self._begin(self._data, own["pass"])
        else:
            restore(self._data, own["data"])
        self._done = int(own["done"])

    def _own_state(self) -> dict[str, Any]:
        """Return how much of the epoch is done, and where its pass is, or, between two passes, the data's own state."""
        if self._pass is None:
            return {"done": self._done, "data": state_of(self._data)}
        return {"done": self._done, "pass": self._pass.state_dict()}

    def _one_pass(self) -> Iterator[Sample]:
        if self._pass is None:
            self._pass = self._begin(self._data, None)
        current = self._pass
        while (batch := current.next_batch()) is not None:
            self._feedback.expect(current.take)
            try:
                yield batch
            finally:  # somebody may only look at a batch, and then test others
                self._feedback.forget(current.take)
        self._pass = None


class Afresh:
    """Data of which each iteration is a stream of its own, whatever became of the one before.

    Args:
        data: what passes go over.
        begin: begins them.
        feedback: gets told who waits for the output of each batch.
    """

    def __init__(self, data: Iterable[Any], begin: Begin, feedback: Feedback[Any]) -> None:
        self._data = data
        self._begin = begin
        self._feedback = feedback

    def __iter__(self) -> Iterator[Sample]:
        return iter(Stream(self._data, self._begin, self._feedback))

    def state_dict(self) -> dict[str, Any]:
        """Return the data's own state."""
        return {"data": state_of(self._data)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the data go on from it."""
        restore(self._data, state["data"])
