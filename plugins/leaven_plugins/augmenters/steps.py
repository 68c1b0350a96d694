"""Steps: in which order ops are done to a whole batch, of whose rows each has an order of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven_plugins.augmenters.batch import Values, left_out
from leaven_plugins.workers.image.chain import in_order


class WorkersOp(Protocol):
    """What is asked of an op that workers have, :class:`leaven.protocols.Op`."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a draw that it reads."""

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether it would change anything."""


class Step(NamedTuple):
    """One op, done to those ``rows`` (a bool for each) that are at it."""

    op: str
    rows: NDArray[np.bool_]


def sequence(values: Values, ops: Mapping[str, WorkersOp]) -> list[str]:
    """Return the names of the ops that are to be done to one row, in the order that its draw asks for.

    Args:
        values: of the row.
        ops: name -> the worker's op. Their order is that of rows without ``order``, unless these name what was left.

    Raises:
        ParameterError: the worker has left out an op that is not among these, or a value is of a wrong type.
    """
    left = dict.fromkeys(left_out(values, tuple(ops)))
    due = [name for name in left if _applies(name, ops[name], values)]
    if len(due) < 2:
        return due
    labels = [frozenset((name, *ops[name].keys)) for name in due]
    return [due[place] for place in in_order(labels, values.get("order"))]


def _applies(name: str, op: WorkersOp, values: Values) -> bool:
    try:
        return op.applies(values)
    except TypeError as error:
        read = {key: values[key] for key in op.keys if key in values}
        raise ParameterError(f"op {name!r} cannot read its values {read!r}: {error}") from error


def merged(sequences: Sequence[Sequence[str]]) -> list[Step]:
    """Return steps by which each row passes through its ops in its order.

    The next step is the op that most rows wait for. Rows of one order take as many steps as there are ops; three ops in
    all six orders take seven, where one after the other would take eighteen.
    """
    done = [0] * len(sequences)
    steps = []
    while waiting := {row: ops[done[row]] for row, ops in enumerate(sequences) if done[row] < len(ops)}:
        op = Counter(waiting.values()).most_common(1)[0][0]
        rows = np.zeros(len(sequences), np.bool_)
        for row, wanted in waiting.items():
            if wanted == op:
                rows[row] = True
                done[row] += 1
        steps.append(Step(op, rows))
    return steps
