"""Calls: components with their parameters as one string, such as ``percent(0, 80)`` or ``shuffle(seed=5)``."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from leaven.errors import ParameterError, listing
from leaven.registry.parameters import Parameter

_CALL = re.compile(r"\s*([^()\s]+)\s*\((.*)\)\s*", re.DOTALL)


class Call(NamedTuple):
    """A spec, and the values that stand behind it in parentheses."""

    spec: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any]


def parse_call(text: str) -> Call:
    """Take a call apart; a plain name is a call without values.

    Values are what Python writes as numbers, strings, ``True``, ``False``, ``None``, and lists, tuples and dicts of
    these; nothing is evaluated.

    Raises:
        ParameterError: it is malformed.
    """
    match = _CALL.fullmatch(text)
    if match is None:
        if "(" in text or ")" in text:
            raise ParameterError(f"{text!r} is not of the form name(value, parameter=value)")
        return Call(text.strip(), (), {})
    try:
        # parsed only: literal_eval takes constants and containers of these, and refuses names, calls and operators
        call = ast.parse(f"f({match[2]})", mode="eval").body
        assert isinstance(call, ast.Call)
        positional = tuple(ast.literal_eval(argument) for argument in call.args)
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
    except (SyntaxError, ValueError, AssertionError, RecursionError, MemoryError) as error:
        raise ParameterError(f"{text!r}: not values as in {match[1]}(0, 80, name='x'): {error}") from None
    if len(named) < len(call.keywords):
        raise ParameterError(f"{text!r}: ** has no place in it")
    return Call(match[1], positional, named)


def bound(call: Call, target: Any, known: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return the call's values by the names of the parameters that they are for.

    Values without a name go to the parameters in order, past those that take components. Where the class has an
    attribute ``rest``, all of them go to the parameter of that name, as a list.

    Args:
        call: the call.
        target: the class or factory that is called.
        known: its parameters.

    Raises:
        ParameterError: there are more values than parameters, or two for the same.
    """
    if not call.positional:
        return dict(call.named)
    rest = getattr(target, "rest", "")
    if rest:
        given: dict[str, Any] = {rest: list(call.positional)}
    else:
        free = [name for name, parameter in known.items() if not parameter.takes]
        if len(call.positional) > len(free):
            raise ParameterError(f"{call.spec}: {len(call.positional)} values, but it takes: {listing(free)}")
        given = dict(zip(free, call.positional, strict=False))
    if twice := sorted(given.keys() & call.named):
        raise ParameterError(f"{call.spec}: two values for {listing(twice)}")
    return given | dict(call.named)
