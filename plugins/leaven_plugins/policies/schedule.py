"""Schedule: a policy that sets a property of anything, and the tables that schedules used to be written as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from leaven.errors import ParameterError, listing, suggestion
from leaven.protocols import Policy
from leaven_plugins.policies.properties import Property, property_of
from leaven_plugins.policies.schedules.policy import Dec, LinDec, Updates

_WORDS = ("dec", "lindec", "updates")


class Schedule:
    """Sets a property by a policy, from the value that it has when it is bound.

    A list, such as the parameter groups of an optimizer, is set entry by entry, each from its own value; where the
    policy returns a list (``updates`` may), its entries go to those of the property.

    Args:
        policy: what says which value when.
        target: what has the property, see :func:`~leaven_plugins.policies.properties.property_of`.
        name: of the property.

    Raises:
        ParameterError: there is no such property, it is no number, or it cannot be set.
    """

    def __init__(self, policy: Policy, target: Any, name: str = "") -> None:
        self.policy = policy
        self.name = name or type(target).__name__
        self._property = property_of(target, name)
        base = self._property.base()
        if not _is_numeric(base):
            kind = type(base).__name__
            raise ParameterError(f"schedule of {self.name!r}: it is {kind}, and not a number or a list of numbers")
        _set(self._property, base, self.name)  # what cannot be set fails now, and not amid the run

    def apply(self, epoch: float, num_epochs: float, step: int, num_steps: float) -> Any:
        """Set the property to its value after ``epoch`` epochs, which are ``step`` optimizer steps; return it.

        Raises:
            ParameterError: the policy's list is not as long as the property's.
        """
        counts_steps = getattr(self.policy, "unit", "epoch") == "step"
        done, total = (step, num_steps) if counts_steps else (epoch, num_epochs)
        value = self._changed(self._property.base(), done, total)
        _set(self._property, value, self.name)
        return value

    def _changed(self, base: Any, done: float, total: float) -> Any:
        if not isinstance(base, (list, tuple)):
            return self._entry(self.policy.value(base, done, total), 0, 1)
        if any(isinstance(part, (list, tuple)) for part in base):
            return type(base)(self._changed(part, done, total) for part in base)
        values = (self.policy.value(part, done, total) for part in base)
        return type(base)(self._entry(value, place, len(base)) for place, value in enumerate(values))

    def _entry(self, value: Any, place: int, count: int) -> Any:
        if not isinstance(value, (list, tuple)):
            return value
        if len(value) != count:
            raise ParameterError(f"schedule of {self.name!r}: it has {count} values, and the policy gives {len(value)}")
        return value[place]


def bind(schedules: Mapping[str, Any], targets: Sequence[Any]) -> list[Schedule]:
    """Return a schedule for each name, of the first target that has such a property.

    Args:
        schedules: name of a property -> policy, or a table that :func:`parse` reads.
        targets: where names are looked up, in order; one or more.

    Raises:
        ParameterError: no target has a property of that name, or a table cannot be read.
    """
    return [_bound(name, parse(entry), targets) for name, entry in schedules.items()]


def parse(table: Any) -> Policy:
    """Return the policy that a table of one entry means; a policy is returned as it is.

    Args:
        table: ``{"dec": factor}``, ``{"lindec": [steps, initial]}`` or ``{"updates": [[step, value], ...]}``.

    Raises:
        ParameterError: it is another table, or a value is out of range.
    """
    if isinstance(table, Policy):
        return table
    if not isinstance(table, Mapping) or len(table) != 1 or next(iter(table)) not in _WORDS:
        names = list(table) if isinstance(table, Mapping) else []
        advice = suggestion(str(names[0]), _WORDS) if len(names) == 1 else ""
        raise ParameterError(f"schedule {table!r}: expected a table with one of {listing(_WORDS)}{advice}")
    try:
        return _made(*next(iter(table.items())))
    except TypeError as error:  # text, say, in place of a number
        raise ParameterError(f"schedule {table!r}: {error}") from error


def _made(word: str, value: Any) -> Policy:
    if word == "dec":
        return Dec(value)
    if word == "updates":
        return Updates(value)
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ParameterError(f"schedule {{'lindec': {value!r}}}: lindec is [steps, initial]")
    return LinDec(*value)


def _bound(name: str, policy: Policy, targets: Sequence[Any]) -> Schedule:
    errors: list[ParameterError] = []
    for target in targets:
        try:
            property_of(target, name)
        except ParameterError as error:
            errors.append(error)
        else:
            return Schedule(policy, target, name)
    raise ParameterError("; ".join(map(str, errors)) or f"schedule of {name!r}: there is nothing that could have it")


def _set(place: Property, value: Any, name: str) -> None:
    try:
        place.set(value)
    except (AttributeError, TypeError) as error:
        raise ParameterError(f"schedule of {name!r}: it cannot be set: {error}") from error


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_numeric, value))
    return isinstance(value, Real) and not isinstance(value, bool)
