"""The events of a training run in their order, and the functions that are called on them.

::

    run_begin()
    for epoch in start_epoch + 1 ... num_epochs:
        train_begin()
        for iteration, mini_batches in train_iter:
            for sample in mini_batches:
                train_pre_forward(sample)
                output = network(sample); loss(output); metric.update(output)
                train_forward(metric, loss, output)
                backward
                train_backward(metric, loss, output)
            every accumulate iterations:
                gradients are clipped
                train_policy and schedules set the learning rates and other values
                optimizer.step(), or none where a loss is not finite and nonfinite says to skip it
                the running mean of the weights takes them in
                train_step(samples)
            every snapshot_steps steps: a snapshot, then snapshot(path)
            max_steps, max_seconds, or a call of stop(), may end the epoch here
        the values of the epoch go into the state
        train_end()
        the log gets them
        if there is a val_iter:
            val_begin()
            for each sample:
                val_pre_forward(sample)
                output = network(sample); val_loss(output); val_metric.update(output)
                val_forward(metric, loss, output)
            the values go into the state
            val_end()
            val_policy is told the loss; the log gets the values
        every snapshot_interval epochs, and at the end: a snapshot, then snapshot(path)
    run_end()

Each function gets the trainer's state as its first argument and the above by name: ``sample`` and ``output`` are sample
dicts, ``samples`` the mini-batches of the step, ``loss`` is a detached scalar tensor, the mean over the rows of this
mini-batch, ``metric`` the epoch's values so far. Functions of one event are called in the order in which they were
added; what one of them raises ends the run. ``run_end`` comes also after an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leaven.errors import UnknownName, listing, suggestion

EVENTS = (
    "run_begin",
    "train_begin",
    "train_pre_forward",
    "train_forward",
    "train_backward",
    "train_step",
    "train_end",
    "val_begin",
    "val_pre_forward",
    "val_forward",
    "val_end",
    "snapshot",
    "run_end",
)

Function = Callable[..., Any]


class Events:
    """Functions by event."""

    def __init__(self) -> None:
        self._functions: dict[str, list[Function]] = {event: [] for event in EVENTS}

    def add(self, event: str, function: Function) -> None:
        """Call ``function(state, **arguments)`` on each ``event``.

        Raises:
            UnknownName: there is no such event.
        """
        self._of(event).append(function)

    def remove(self, event: str, function: Function) -> None:
        """Undo one :meth:`add`.

        Raises:
            UnknownName: there is no such event, or the function was not added to it.
        """
        functions = self._of(event)
        if function not in functions:
            raise UnknownName(f"{function!r} was not added to the event {event!r}")
        functions.remove(function)

    def has(self, event: str) -> bool:
        """Return whether any function is called on ``event``."""
        return bool(self._of(event))

    def call(self, event: str, state: Mapping[str, Any], arguments: Callable[[], Mapping[str, Any]] = dict) -> None:
        """Call the functions of ``event``. Only if there are any is ``arguments`` asked: it may wait for a device."""
        functions = self._functions[event]
        if functions:
            values = arguments()
            for function in tuple(functions):
                function(state, **values)

    def _of(self, event: str) -> list[Function]:
        try:
            return self._functions[event]
        except KeyError:
            hint = suggestion(event, EVENTS) or f"; events: {listing(EVENTS, len(EVENTS))}"
            raise UnknownName(f"no event {event!r}{hint}") from None
