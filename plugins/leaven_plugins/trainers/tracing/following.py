"""Following: examples side by side, each at its own place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from leaven.errors import LeavenError, ParameterError, StateError
from leaven_plugins.trainers.drawing import Drawing
from leaven_plugins.trainers.tracing.example import Example
from leaven_plugins.trainers.tracing.rows import apart, batch_of, row_of

Sample = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """How examples are followed: parameters of the trainer."""

    batch_size: int
    sequence_training: bool
    max_length: int
    output_key: str

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.max_length < 0:
            raise ParameterError(
                f"trainer tracing: batch_size={self.batch_size}, max_length={self.max_length}: at least 1, and 0"
            )


class Ended(NamedTuple):
    """A trace that is not gone on with: its steps, and whether the last one lost the track."""

    length: int
    lost: bool


@dataclass
class _Row:
    """An example that is followed: the how manieth of the pass, its next sample, and how many steps were made."""

    example: Example
    number: int
    sample: Sample
    length: int = 0


class Following:
    """One pass over examples: see :class:`~leaven_plugins.trainers.stream.Pass`.

    A batch that gets no output back, as when somebody only looks at the data, is not gone on with.

    Args:
        data: yields examples.
        rule: how they are followed.
        device: where batches go.
        state: of an earlier pass, which is gone on with.

    Raises:
        StateError: the data or its examples cannot be gone on with.
    """

    def __init__(
        self, data: Iterable[Any], rule: Rule, device: torch.device, state: Mapping[str, Any] | None = None
    ) -> None:
        self._drawing = Drawing(data, state)
        self._rule = rule
        self._device = device
        self._waiting = False
        self._rows: list[_Row] = [] if state is None else self._rows_of(state)

    def next_batch(self) -> Sample | None:
        """Return the samples of all rows, ``None`` where every example is at its end; the last ones have fewer rows.

        Raises:
            LeavenError: what the data yields are no examples, or their samples differ in keys or shapes.
        """
        if self._waiting:
            self._rows = []
        while len(self._rows) < self._rule.batch_size and (row := self._begun()) is not None:
            self._rows.append(row)
        if not self._rows:
            return None
        self._waiting = True
        return batch_of([row.sample for row in self._rows], self._device)

    def take(self, output: Mapping[str, Any]) -> list[Ended]:
        """Let each row go on, or begin a new example in its place; return those that have ended.

        Raises:
            LeavenError: the output has another number of rows.
        """
        rows, self._rows, self._waiting = self._rows, [], False
        values = apart(output[self._rule.output_key])
        if len(values) != len(rows):
            raise LeavenError(f"{len(rows)} examples got an output of {len(values)} rows")
        ended: list[Ended] = []
        for row, value in zip(rows, values, strict=True):
            row.length += 1
            lost = not row.example.is_on_track(value)
            sample = None if lost or self._is_over(row) else row.example.follow(value)
            if sample is None:
                ended.append(Ended(row.length, lost))
                following = self._begun()
            else:
                row.sample = row_of(sample)
                following = row
            if following is not None:
                self._rows.append(following)
        return ended

    def state_dict(self) -> dict[str, Any]:
        """Return how many examples were drawn, and where those are that are being followed."""
        can = all(hasattr(row.example, "state_dict") for row in self._rows)
        return {**self._drawing.state_dict(), "rows": [_state(row) for row in self._rows] if can else None}

    def _is_over(self, row: _Row) -> bool:
        return not self._rule.sequence_training or row.length == self._rule.max_length

    def _begun(self) -> _Row | None:
        try:
            example = self._drawing.draw()
        except StopIteration:
            return None
        if not isinstance(example, Example):
            raise LeavenError(
                "trainer tracing: data must yield examples, with start(), is_on_track(output) and follow(output), "
                f"not {type(example).__name__}"
            )
        return _Row(example, self._drawing.count, row_of(example.start()))

    def _rows_of(self, state: Mapping[str, Any]) -> list[_Row]:
        if state["rows"] is None:
            raise StateError("examples without state_dict() cannot be gone on with; all begin anew")
        wanted = {int(kept["number"]): kept for kept in state["rows"]}
        drawn = enumerate(self._drawing.drawn_again(int(state["count"])), 1)
        examples = {number: example for number, example in drawn if number in wanted}
        return [_row(examples[number], kept) for number, kept in wanted.items()]


def _state(row: _Row) -> dict[str, Any]:
    example: Any = row.example
    return {"number": row.number, "length": row.length, "sample": row.sample, "example": example.state_dict()}


def _row(example: Any, state: Mapping[str, Any]) -> _Row:
    example.load_state_dict(state["example"])
    return _Row(example, int(state["number"]), dict(state["sample"]), int(state["length"]))
