"""Options: how a constructor names the parameters that it hands on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def with_options_of(other: Callable[..., Any]) -> Callable[[Function], Function]:
    """Return a decorator: the parameters of ``other`` stand in the signature in the place of ``**options``.

    So a configuration is checked against all names, and components among them are built, without a copy of the list.

    Args:
        other: what gets the options.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = {name: p for name, p in signature.parameters.items() if p.kind is not Parameter.VAR_KEYWORD}
        handed_on = [
            parameter.replace(kind=Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(other).parameters.items()
            if name not in own
        ]
        function.__signature__ = signature.replace(parameters=[*own.values(), *handed_on])  # type: ignore[attr-defined]
        return function

    return decorate
