"""Chunks: sequences in parts, along which a state is carried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.trainers.drawing import Drawing
from leaven_plugins.trainers.recurrent.sequences import PLACES, Sequences
from leaven_plugins.trainers.recurrent.state import begun_anew, detached, moved
from leaven_plugins.trainers.standard.batches import samples_in
from leaven_plugins.trainers.standard.validity import valid_part

Sample = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """How sequences are gone through: parameters of the trainer."""

    bptt: int
    max_length: int
    input_key: str
    state_key: str
    reset_key: str

    def __post_init__(self) -> None:
        if self.bptt < 0 or self.max_length < 0:
            raise ParameterError(f"trainer recurrent: bptt={self.bptt}, max_length={self.max_length}: 0 or more")

    @property
    def before_key(self) -> str:
        """Key of the state that a chunk began with: the network replaces the other one."""
        return f"{self.state_key}_before"


@dataclass
class _Item:
    """What the data yielded last: its mini-batches, which one comes, and the sequences under way."""

    samples: list[Mapping[str, Any]]
    slot: int = 0
    start: int = 0
    sequences: Sequences | None = None


class Chunks:
    """One pass over sequences: see :class:`~leaven_plugins.trainers.stream.Pass`.

    Args:
        data: what the standard trainer takes; of several mini-batches one comes after the other.
        rule: how they are gone through.
        device: where they go.
        pass_over: sends a chunk through the network without learning, where none of its steps counts.
        state: of an earlier pass, which is gone on with.

    Raises:
        StateError: the data cannot be gone on with.
    """

    def __init__(
        self,
        data: Iterable[Any],
        rule: Rule,
        device: torch.device,
        pass_over: Callable[[Sample], Mapping[str, Any]],
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._drawing = Drawing(data, state)
        self._rule = rule
        self._device = device
        self._pass_over = pass_over
        self._item = _Item([])
        self._states: dict[int, Any] = {}
        if state is not None:
            self._go_on(state)

    def next_batch(self) -> Sample | None:
        """Return the next chunk of which a step counts, with the state to begin with; ``None`` at the end.

        Raises:
            LeavenError: what the data yields are no sequences, or the state does not fit their rows.
        """
        while (sequences := self._sequences()) is not None:
            item, rule = self._item, self._rule
            stop = min(item.start + rule.bptt, sequences.steps) if rule.bptt else sequences.steps
            state = self._states.get(item.slot)
            chunk = {**sequences.part(item.start, stop), rule.state_key: state, rule.before_key: state}
            chunk.pop(rule.reset_key, None)  # the state has seen to it; a chunk that is tested again begins with that
            item.start = stop
            if len(chunk[PLACES]):
                return chunk
            self.take(self._pass_over(chunk))
        return None

    def take(self, output: Mapping[str, Any]) -> None:
        """Keep the state that the network came to.

        Raises:
            LeavenError: there is none.
        """
        if self._rule.state_key not in output:
            have = ", ".join(map(str, output))
            raise LeavenError(f"the network gave back no state as {self._rule.state_key!r}; its output has: {have}")
        self._states[self._item.slot] = detached(output[self._rule.state_key])

    def state_dict(self) -> dict[str, Any]:
        """Return how many items were drawn, where in the last one the pass is, and all states."""
        place = {"slot": self._item.slot, "start": self._item.start}
        return {**self._drawing.state_dict(), **place, "states": [[*entry] for entry in self._states.items()]}

    def _go_on(self, state: Mapping[str, Any]) -> None:
        for item in self._drawing.drawn_again(int(state["count"])):
            self._item = _Item(list(samples_in(item)), int(state["slot"]), int(state["start"]))
        if self._item.start:
            self._item.sequences = self._made()
        self._states = {int(slot): moved(kept, self._device) for slot, kept in state["states"]}

    def _sequences(self) -> Sequences | None:
        """Return the sequences under way, those that come next where these are done, ``None`` at the end."""
        while True:
            item = self._item
            if item.sequences is not None and item.start < item.sequences.steps:
                return item.sequences
            if item.sequences is not None:
                item.sequences, item.slot, item.start = None, item.slot + 1, 0
            if item.slot < len(item.samples):
                item.sequences = self._begun()
                if item.sequences is None:
                    item.slot += 1
                continue
            try:
                self._item = _Item(list(samples_in(self._drawing.draw())))
            except StopIteration:
                return None

    def _begun(self) -> Sequences | None:
        """Begin the sequences of a mini-batch, with the state that they go on from."""
        sample, rule, slot = self._item.samples[self._item.slot], self._rule, self._item.slot
        sequences = self._made()
        if sequences is None:
            return None
        if rule.reset_key not in sample:
            self._states[slot] = sample.get(rule.before_key)
        else:
            flags = _flags(sample[rule.reset_key], sequences.rows, rule.reset_key)
            self._states[slot] = begun_anew(self._states.get(slot), flags)
        return sequences

    def _made(self) -> Sequences | None:
        sample, rule = dict(self._item.samples[self._item.slot]), self._rule
        if rule.reset_key not in sample:  # where states go on, each row keeps its place
            found = valid_part(sample)
            if found is None:
                return None
            sample = found
        return Sequences(sample, rule.input_key, self._device, rule.max_length)


def _flags(value: Any, rows: int, key: str) -> Tensor:
    flags = torch.as_tensor(value)
    if flags.dtype != torch.bool or flags.numel() != rows:
        raise LeavenError(f"{key!r}: expected a bool for each of {rows} rows, not {flags.dtype} {tuple(flags.shape)}")
    return flags.reshape(rows)
