"""Calls of functions, and what came of them: how they get to a worker and back, by value or by reference."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from leaven.errors import LeavenError, TaskError, text_of
from leaven.tasks import failures, values
from leaven.tasks.constants import Sharing
from leaven.tasks.outputs import Output


@dataclass(frozen=True)
class Call:
    """A function and its arguments; ``outputs`` are the arrays that it gets as its first argument, if there are any."""

    function: Callable[..., Any]
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Sequence[Output] = ()

    def run(self, again: bool) -> Any:
        """Call the function; ``again``: a worker that died may have begun with it before."""
        if not self.outputs:
            return self.function(*self.args, **self.kwargs)
        arrays = [output.begin(again) for output in self.outputs]
        self.function(arrays, *self.args, **self.kwargs)
        return None

    def pack(self, sharing: Sharing | None = None) -> bytes:
        """Return the call as bytes for another process.

        Raises:
            RecipeError: it cannot be handed over; the text has the path of what is in the way.
        """
        parts = {"function": self.function, "args": list(self.args), "kwargs": dict(self.kwargs)}
        return values.pack({**parts, "outputs": [output.to_plain() for output in self.outputs]}, sharing)

    @classmethod
    def unpack(cls, data: bytes) -> Call:
        """Return the same call in a worker's process.

        Raises:
            LeavenError: something that it refers to cannot be found or made here.
        """
        parts = values.unpack(data)
        outputs = [Output.from_plain(output) for output in parts.pop("outputs")]
        return cls(**parts, outputs=outputs)


class Outcome(NamedTuple):
    """What a function returned, or what it raised."""

    value: Any = None
    error: Exception | None = None

    def get(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


def outcome_of(run: Callable[[], Any], here: bool = False) -> Outcome:
    """Return what comes of a call. What would end a loop, a thread or the program is told by a TaskError.

    Args:
        run: makes the call.
        here: whether this is the consumer's process, in whose main thread a Ctrl-C is not the function's.
    """
    try:
        return Outcome(run())
    except BaseException as error:
        ctrl_c = isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
        if here and ctrl_c:
            raise
        return Outcome(error=failures.harmless(error))


class Carrier(Protocol):
    """Takes calls to workers, and outcomes back."""

    here: bool
    """Whether the workers are within the consumer's process."""

    def send_call(self, number: int, call: Call) -> bytes:
        """Return what travels to the worker."""

    def call(self, number: int, data: bytes) -> Call:
        """Return the call, in the worker; it may be asked for again."""

    def send_outcome(self, number: int, outcome: Outcome) -> bytes:
        """Return what travels back."""

    def outcome(self, number: int, data: bytes) -> Outcome:
        """Return what came of it; it may be asked for again."""

    def forget(self, number: int) -> None:
        """It is not asked for any more."""


class ByValue:
    """Between processes: everything is packed."""

    here = False

    def send_call(self, number: int, call: Call) -> bytes:
        """Pack the call."""
        return call.pack()

    def call(self, number: int, data: bytes) -> Call:
        """Unpack it."""
        return Call.unpack(data)

    def send_outcome(self, number: int, outcome: Outcome) -> bytes:
        """Pack what the function returned or raised; a result that cannot be packed is an error of its own."""
        if outcome.error is None:
            packed = outcome_of(lambda: values.pack({"result": outcome.value}))
            if packed.error is None:
                return bytes(packed.value)
            outcome = packed
        assert outcome.error is not None
        return values.pack({"error": failures.told(outcome.error)})

    def outcome(self, number: int, data: bytes) -> Outcome:
        """Unpack it."""
        try:
            found = values.unpack(data, answer=True)
            return Outcome(error=failures.retold(found["error"])) if "error" in found else Outcome(found["result"])
        except LeavenError as error:
            return Outcome(error=error)
        except Exception as error:  # a class of the user's may do anything with its state
            text = f"{type(error).__name__}: {text_of(error)}"
            unread = TaskError(f"a worker's answer cannot be read: {text}")
            unread.__cause__ = error
            return Outcome(error=unread)

    def forget(self, number: int) -> None:
        """Nothing is kept."""


class ByReference:
    """Within one process: nothing is copied, and anything goes."""

    here = True

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        self._outcomes: dict[int, Outcome] = {}

    def send_call(self, number: int, call: Call) -> bytes:
        """Keep the call."""
        self._calls[number] = call
        return b""

    def call(self, number: int, data: bytes) -> Call:
        """Return it."""
        return self._calls[number]

    def send_outcome(self, number: int, outcome: Outcome) -> bytes:
        """Keep the outcome."""
        self._outcomes[number] = outcome
        return b""

    def outcome(self, number: int, data: bytes) -> Outcome:
        """Return it."""
        return self._outcomes[number]

    def forget(self, number: int) -> None:
        """Keep neither call nor outcome."""
        self._calls.pop(number, None)
        self._outcomes.pop(number, None)


def carrier_for(in_process: bool) -> Carrier:
    """Return a carrier for workers of this process, or of others."""
    return ByReference() if in_process else ByValue()
