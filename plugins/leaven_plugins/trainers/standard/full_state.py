"""The whole state of a run: of everything that changes while it goes on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from leaven.errors import LeavenError, StateError
from leaven_plugins.distributed.world import World
from leaven_plugins.snapshots.capture import random_state, set_random_state

log = logging.getLogger("leaven.trainer")


class Several:
    """The states of several objects as one; those that have none are left out.

    Args:
        objects: by name, ``None`` allowed.
    """

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self._objects = {name: thing for name, thing in objects.items() if hasattr(thing, "state_dict")}

    def state_dict(self) -> dict[str, Any]:
        """Return each object's state."""
        return {name: thing.state_dict() for name, thing in self._objects.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let each object go on from its state; states of others are passed over."""
        for name, thing in self._objects.items():
            if name in state:
                thing.load_state_dict(state[name])


class Randomness:
    """The generators of torch, numpy and Python, of every rank."""

    def __init__(self, world: World) -> None:
        self._world = world

    def state_dict(self) -> dict[str, Any]:
        """Return the states by rank; all ranks have to ask."""
        return {"ranks": self._world.gather(random_state())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set this rank's generators."""
        ranks: Sequence[Any] = state["ranks"]
        fits = len(ranks) == self._world.size
        if not fits:
            log.warning("the snapshot is of %d processes, not %d: dropout differs", len(ranks), self._world.size)
        set_random_state(ranks[self._world.rank if fits else 0])


def states_of(pieces: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a snapshot: the states of all pieces that have any."""
    states = {name: piece.state_dict() for name, piece in pieces.items() if piece is not None}
    return {name: state for name, state in states.items() if state}


class PutBack(NamedTuple):
    """What became of a snapshot's parts: names of those that were put back, and the others with the reason."""

    done: list[str]
    ignored: dict[str, str]


def put_back(pieces: Mapping[str, Any], parts: Mapping[str, Any]) -> PutBack:
    """Put parts of a snapshot back into the pieces of a run.

    Data of which the snapshot's place makes no sense begins anew, and is among what was ignored.

    Raises:
        LeavenError: another part does not fit; the text names it.
    """
    found = PutBack([], {name: "this run has nothing of it" for name in parts if name not in pieces})
    for name, piece in pieces.items():
        if piece is None and name in parts:
            found.ignored[name] = "this run has nothing of it"
        if piece is None or not parts.get(name):
            continue
        try:
            piece.load_state_dict(parts[name])
        except StateError as error:
            found.ignored[name] = str(error)
            continue
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LeavenError(f"the snapshot's {name} does not fit this experiment: {error}") from error
        found.done.append(name)
    return found
