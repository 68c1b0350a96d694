"""Failpoints: named places at which a worker can be told to fail, by the environment variable ``LEAVEN_FAILPOINT``.

``LEAVEN_FAILPOINT=worker.before_ack:kill:3,worker.received:exit`` lets every worker process kill itself when it is
about to send its third answer, and exit when it receives its first message. Workers that replace others do the same.
The variable is read once, when a process imports this module, so setting it later is for processes started later.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from leaven.errors import ConfigError, listing, suggestion

VARIABLE = "LEAVEN_FAILPOINT"

POINTS = {
    "worker.starting": "before the worker is set up",
    "worker.received": "a request has arrived",
    "worker.read": "the first sample of a request is about to be read",
    "worker.half_written": "half of a request's samples have been worked on",
    "worker.before_ack": "the batch is made, the answer not sent",
    "worker.after_ack": "the answer has been sent",
}
"""The places, in the order in which a worker passes them."""


def _hang() -> None:
    while True:
        time.sleep(3600)


def _raise() -> None:
    raise RuntimeError(f"raised by {VARIABLE}")


ACTIONS: dict[str, Callable[[], object]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segv": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(0),
    "hang": _hang,
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "raise": _raise,
}
"""What may happen there: end by SIGKILL, by a segmentation fault, with status 0; sleep; freeze; a ``RuntimeError``."""


class Failure(NamedTuple):
    """``action`` happens at the pass with this number (from 1) of ``point``."""

    point: str
    action: str
    nth: int


def failures(text: str) -> list[Failure]:
    """Return what ``"POINT:ACTION[:N],..."`` asks for.

    Raises:
        ConfigError: it is malformed, or names a point or an action that does not exist.
    """
    return [_failure(entry.strip()) for entry in text.split(",") if entry.strip()]


def check() -> None:
    """Check the variable before workers are started, which would die of it without a word.

    Raises:
        ConfigError: as for :func:`failures`.
    """
    failures(os.environ.get(VARIABLE, ""))


def failpoint(point: str) -> None:
    """Do what was asked for at this pass of ``point``; nothing, in 30 ns, where nothing was."""
    if point in _armed:
        _pass(point)


def _pass(point: str) -> None:
    passes, waiting = _armed[point]
    number = next(passes)
    for failure in waiting:
        if failure.nth == number:
            ACTIONS[failure.action]()


def _armed_points() -> dict[str, tuple[Iterator[int], list[Failure]]]:
    """Return what is to happen at each point; nothing where the variable is malformed, which :func:`check` reports."""
    try:
        asked = failures(os.environ.get(VARIABLE, ""))
    except ConfigError:
        return {}
    return {one.point: (itertools.count(1), [each for each in asked if each.point == one.point]) for one in asked}


def _failure(entry: str) -> Failure:
    point, _, rest = entry.partition(":")
    action, colon, number = rest.partition(":")
    if point not in POINTS:
        raise _mistake(entry, f"no point {point!r}{suggestion(point, POINTS)}; points: {listing(POINTS)}")
    if action not in ACTIONS:
        raise _mistake(entry, f"no action {action!r}{suggestion(action, ACTIONS)}; actions: {listing(ACTIONS)}")
    if colon and not (number.isdecimal() and int(number) > 0):
        raise _mistake(entry, f"{number!r} is not the number of a pass, which begin with 1")
    return Failure(point, action, int(number) if colon else 1)


def _mistake(entry: str, what: str) -> ConfigError:
    return ConfigError(f"{entry!r}: {what}; expected POINT:ACTION[:N],...", VARIABLE)


_armed = _armed_points()
