"""Signals: Ctrl-C and SIGTERM end a run after the step that is under way, with a snapshot."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NAMED = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


@contextmanager
def stopping_on_signals(stop: Callable[[str], None], tell: Callable[[str], None]) -> Iterator[list[int]]:
    """Call ``stop(reason)`` on the first signal; a second Ctrl-C interrupts at once. Earlier handlers come back after.

    Args:
        stop: asks the run to end.
        tell: shows people that it was heard.

    Yields:
        the signals that came.
    """
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if came.count(signal.SIGINT) > 1:
            raise KeyboardInterrupt
        if len(came) == 1:
            again = "; Ctrl-C again ends it at once" if number == signal.SIGINT else ""
            tell(f"{_NAMED[signal.Signals(number)]}: the run ends after this step, with a snapshot{again}")
        stop(_NAMED[signal.Signals(number)])

    if threading.current_thread() is not threading.main_thread():  # where Python allows no handlers
        yield came
        return
    before = {number: signal.signal(number, handle) for number in _NAMED}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
