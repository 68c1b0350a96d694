"""Feedback: outputs of the network, led back to where the samples came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

Found = TypeVar("Found")
Take = Callable[[Mapping[str, Any]], Found]


class Feedback(Generic[Found]):
    """Who waits for the next output; a metric that sees all outputs hands it on.

    Metrics see each output once, in training, validation and tests alike, before anything else asks for data. A hook
    would cost more: the values of all metrics are computed for it at each step.
    """

    def __init__(self) -> None:
        self._take: Take[Found] | None = None

    def expect(self, take: Take[Found]) -> None:
        """Let ``take`` have the next output, and nobody else."""
        self._take = take

    def forget(self, take: Take[Found]) -> None:
        """Let ``take`` wait no longer."""
        if self._take == take:
            self._take = None

    def give(self, output: Mapping[str, Any]) -> Found | None:
        """Hand an output on; return what came of it, ``None`` where nobody waits."""
        take, self._take = self._take, None
        return None if take is None else take(output)

    def __deepcopy__(self, memo: object) -> Feedback[Found]:
        return self  # a copy of a metric, as is made for a test, still has to reach who waits
