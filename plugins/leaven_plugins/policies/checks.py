"""Checks of what policies are given: each names the policy, the parameter and its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from leaven.errors import ParameterError, listing, suggestion
from leaven.protocols import Policy

UNITS = ("epoch", "step")
"""What a policy may count: its ``unit``."""


def check_positive(policy: str, **values: float) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` for a value that is not above 0 and finite."""
    _check(policy, values, [name for name, value in values.items() if not 0 < value < inf], "must be above 0")


def check_not_negative(policy: str, **values: float) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` for a value that is below 0 or not finite."""
    _check(policy, values, [name for name, value in values.items() if not 0 <= value < inf], "must not be below 0")


def check_at_most(policy: str, most: float, **values: float) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` for a value that is above ``most``."""
    _check(policy, values, [name for name, value in values.items() if not value <= most], f"must be at most {most}")


def check_share(policy: str, **values: float) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` for a value that is not within 0 and 1."""
    _check(policy, values, [name for name, value in values.items() if not 0 <= value <= 1], "must be within 0 and 1")


def check_choice(policy: str, name: str, value: str, choices: Sequence[str]) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` for a value that is none of ``choices``."""
    if value not in choices:
        advice = suggestion(str(value), choices)
        raise ParameterError(f"{policy}: {name}={value!r}: must be one of {listing(choices)}{advice}")


def check_same_unit(owner: str, unit: str, policies: Iterable[Policy]) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` for a policy that counts something else than ``unit``.

    A policy without an attribute ``unit`` takes any: it looks at the share of the run that is done.
    """
    for policy in policies:
        other = getattr(policy, "unit", unit)
        if other != unit:
            name = type(policy).__name__
            raise ParameterError(f"{owner} counts {unit}s, and {name} within it {other}s; give both the same unit")


def _check(policy: str, values: dict[str, float], wrong: Sequence[str], rule: str) -> None:
    if wrong:
        raise ParameterError(f"{policy}: {wrong[0]}={values[wrong[0]]}: {rule}, and finite")
