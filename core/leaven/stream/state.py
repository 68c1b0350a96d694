"""A loader's state: plain data that says where in which stream it is, so that any other loader can go on there.

::

    {"kind": "leaven.loader", "version": 1,
     "iteration": 120, "epoch": 2, "origin": 2000, "step": 20, "ahead": [],       # where
     "samples": 1000, "length": 1000, "seed": 0, "sampler": "...", "last_batch": "keep", "endless": false,
     "global_batch": 50, "num_mini_batches": 1,                                   # in which stream
     "worker": "5f0c...", "numpy": "2.4"}                                         # made by what
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from leaven.errors import StateError
from leaven.stream.schedule import Progress

log = logging.getLogger("leaven.loader")

KIND = "leaven.loader"
VERSION = 1

_ENDS = 1 << 62  # no position in the stream is as large: they are int64

_WHERE = ("iteration", "epoch", "origin", "step")
_STREAM = ("samples", "length", "seed", "sampler", "last_batch", "endless")
_MADE_BY = {"worker": "its samples are the same, what is made of them may not be", "numpy": "its draws may differ"}


def state_of(progress: Progress, stream: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state: ``progress`` in the stream that ``stream`` describes, ``length`` being that of its epoch."""
    where = {name: getattr(progress, name) for name in _WHERE}
    where |= {"ahead": sorted(progress.ahead)}
    return {"kind": KIND, "version": VERSION, **where, **stream, "length": progress.length}


def progress_of(state: Mapping[str, Any], stream: Mapping[str, Any], strict: bool) -> Progress:
    """Return how far ``state`` is in the stream that ``stream`` describes.

    Raises:
        StateError: it is no state of a loader; or, if ``strict``, of another stream: the text lists what differs.
    """
    _check_form(state)
    different = [name for name in _STREAM if state.get(name) != stream[name]]
    if state["ahead"] and state["num_mini_batches"] != stream["num_mini_batches"]:
        different.append("num_mini_batches")
    if different:
        text = ", ".join(f"{name} {state.get(name)!r} instead of {stream[name]!r}" for name in different)
        if strict:
            raise StateError(f"this state is of another stream: {text}; strict=False takes its position all the same")
        log.warning("going on from the state of another stream: %s", text)
    for name, meaning in _MADE_BY.items():
        if state.get(name) != stream[name]:
            log.warning("the stream was begun with another %s: %s", name, meaning)
    where = {name: state[name] for name in _WHERE}
    return Progress(**where, ahead=set(state["ahead"]), length=stream["length"])


def _check_form(state: Mapping[str, Any]) -> None:
    if not isinstance(state, Mapping) or state.get("kind") != KIND:
        raise StateError("this is not the state of a loader, as loader.state_dict() returns it")
    if state.get("version") != VERSION:
        raise StateError(f"a state of version {state.get('version')!r}; this leaven reads version {VERSION}")
    numbers = [state.get(name) for name in (*_WHERE, "global_batch", "num_mini_batches")]
    ahead = state.get("ahead")
    if not isinstance(ahead, list) or not all(type(one) is int and 0 <= one < _ENDS for one in [*numbers, *ahead]):
        raise StateError(f"malformed state: {', '.join((*_WHERE, 'global_batch'))} have to be whole numbers, 0 or more")
