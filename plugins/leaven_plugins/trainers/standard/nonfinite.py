"""What is done about a loss or gradient that is not finite."""

from __future__ import annotations

import code
import sys
from collections.abc import Callable, Mapping
from typing import Any

from leaven.errors import LeavenError, ParameterError, suggestion

WAYS = ("raise", "skip", "rollback", "shell")
_IN_A_ROW = 20


class NonFinite:
    """Decides, for each step whose loss or gradients are not finite, and counts.

    * ``raise``: the run ends with an error. On a device losses are looked at every 64 mini-batches only; the other ways
      wait for the device at each step.
    * ``skip``: the step is left out, and counted.
    * ``rollback``: weights and optimizer go back to the last snapshot; data and learning rates go on.
    * ``shell``: a Python prompt opens, then the step is left out; where there is no terminal, as ``raise``.

    Of these ways, a step that is left out because the scale of ``fp16`` was too large knows ``skip`` alone: it gets
    smaller. After 20 in a row, whatever the way, the run ends.

    Args:
        way: one of these.
        rollback: goes back to the last snapshot.

    Attributes:
        count: steps that were left out.

    Raises:
        ParameterError: there is no such way.
    """

    def __init__(self, way: str, rollback: Callable[[], None]) -> None:
        if way not in WAYS:
            raise ParameterError(f"no nonfinite {way!r}{suggestion(way, WAYS)}; expected one of {', '.join(WAYS)}")
        self.count = 0
        self._way = way
        self._rollback = rollback
        self._in_a_row = 0

    @property
    def looks(self) -> bool:
        """Whether every step is looked at before it is made."""
        return self._way != "raise"

    def passed(self) -> None:
        """Say that a step was finite."""
        self._in_a_row = 0

    def found(self, where: str, state: Mapping[str, Any], overflow: bool = False) -> None:
        """Say that a step was not, and is left out.

        Args:
            where: epoch and iteration, for errors.
            state: the trainer's, for the prompt.
            overflow: losses are finite, and their scale was too large for the gradients.

        Raises:
            LeavenError: the run has to end.
        """
        self.count += 1
        self._in_a_row += 1
        what = f"{where}: the loss or a gradient is not finite"
        if self._in_a_row > _IN_A_ROW:
            raise LeavenError(f"{what}, {self._in_a_row} times in a row; try a lower learning rate")
        if overflow or self._way == "skip":
            return
        if self._way == "rollback":
            self._rollback()
        elif self._way == "shell":
            if not sys.stdin.isatty():
                raise LeavenError(f"{what}; nonfinite='shell' needs a terminal")
            banner = f"{what}\nstate is the trainer's; Ctrl-D goes on without this step"
            code.interact(banner, local={"state": state}, exitmsg="going on")
