"""Answers: what came of a call, as the supervisor hands it out."""

from __future__ import annotations

from typing import NamedTuple

from leaven.errors import LeavenError, ParameterError, PoisonError, ProtocolError, TaskError
from leaven.stream.failures import RemoteError
from leaven.stream.lane import Lane
from leaven.stream.supervisor import Supervisor
from leaven.tasks.calls import Carrier, Outcome

_FOREVER = 2_000_000.0  # seconds: poll() takes 2^31 ms, and Python's locks not much more on some systems


class Answer(NamedTuple):
    """What came of a call, for how many seconds it ran, and the slot to be given back (-1: none)."""

    outcome: Outcome
    seconds: float = 0.0
    slot: int = -1


def wait_for(
    supervisor: Supervisor, lane: Lane, carrier: Carrier, number: int | None, timeout: float | None, what: str
) -> Answer:
    """Wait for the answer to call ``number``, or (``None``) for whichever comes first.

    Args:
        supervisor: looks after the workers.
        lane: of the calls.
        carrier: brings what came of them.
        number: of the call.
        timeout: seconds; ``None``: as long as it takes.
        what: the call is, for errors.

    Raises:
        TimedOut: there is none in time.
        WorkerError: no worker can run anything any more; what went wrong with this call alone is its outcome.
        ParameterError: ``timeout`` is no number of seconds.
    """
    try:
        result = supervisor.take(lane, number, seconds(timeout))
    except PoisonError as error:
        return Answer(Outcome(error=_killer(error, what)))
    except Exception as error:
        own = None if number is None else lane.results.get(number)
        if own is None or own.error is not error:
            raise
        return Answer(Outcome(error=error))
    if result is None:
        raise LeavenError(f"{what}: there is nothing to wait for")
    try:
        (fields,) = result.batches
        outcome = carrier.outcome(result.number, fields["outcome"])
        if number is None:  # it was taken for good
            carrier.forget(result.number)
        return Answer(outcome, float(fields["seconds"]), result.slot)
    except (KeyError, TypeError, ValueError) as error:
        malformed = ProtocolError(f"{what}: a worker's answer is malformed: {type(error).__name__}: {error}")
        return Answer(Outcome(error=malformed), slot=result.slot)


def seconds(timeout: float | None) -> float | None:
    """Return a timeout that the system can wait for; ``None`` for one that would never be over.

    Raises:
        ParameterError: it is neither ``None`` nor a number of seconds.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
        raise ParameterError(f"timeout={timeout!r}: expected seconds, at least 0, or None for no limit")
    return float(timeout) if timeout < _FOREVER else None


def _killer(error: PoisonError, what: str) -> TaskError:
    told = TaskError(f"{what} has killed {error.kills} workers, the last one {error.status}; it is not tried again")
    told.__cause__ = RemoteError(f"the worker last said:\n{error.words}") if error.words else None
    return told
