"""Parameters: drawn once for each sample, and handed to the functions that take them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from leaven.errors import ParameterError


@dataclass(frozen=True)
class Drawn:
    """A function of a value, with those of a sample's parameters that it has arguments for.

    Args:
        function: its first argument is the value. An argument ``angle`` is given the parameter ``angle``; other
            arguments keep their defaults.
        prefix: an argument ``angle`` is given the parameter ``PREFIXangle`` instead, if there is one.

    Raises:
        ParameterError: it cannot be called.
    """

    function: Callable[..., Any]
    prefix: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ParameterError(f"{self.function!r} is no function of a value")

    def __call__(self, value: Any, params: Mapping[str, Any]) -> Any:
        """Return what the function makes of a value."""
        known = ((name, self.prefix + name) for name in self._arguments)
        given = {name: params[own if own in params else name] for name, own in known if own in params or name in params}
        return self.function(value, **given)

    @cached_property
    def _arguments(self) -> list[str]:
        """The names of all arguments but the first; builtin functions may not tell theirs."""
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError):
            return []
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return [parameter.name for parameter in parameters[1:] if parameter.kind in named]


@dataclass(frozen=True)
class Compose:
    """Functions one after the other, each with those of a sample's parameters that it has arguments for.

    Args:
        functions: of the value, as for :class:`Drawn`; or such with a prefix.
        prefix: that of all functions that are given without one.
    """

    functions: tuple[Callable[..., Any], ...]
    prefix: str = ""

    def __init__(self, *functions: Callable[..., Any], prefix: str = "") -> None:
        made = tuple(f if isinstance(f, (Drawn, Compose)) else Drawn(f, prefix) for f in functions)
        object.__setattr__(self, "functions", made)
        object.__setattr__(self, "prefix", prefix)

    def __call__(self, value: Any, params: Mapping[str, Any]) -> Any:
        """Return what the functions make of a value."""
        for function in self.functions:
            value = function(value, params)
        return value


@dataclass(frozen=True)
class Transforms:
    """What is done to the fields of samples.

    Args:
        functions: a function for each field that is changed.
        rng: called with a sample, returns the parameters for it, which become its field ``__params__``.
    """

    functions: Mapping[str, Callable[..., Any]]
    rng: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None

    def __call__(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """Return a changed sample; fields that it does not have are left out."""
        changed = dict(sample)
        params: Mapping[str, Any] = {}
        if self.rng is not None:
            params = changed["__params__"] = self.rng(sample)
        for name, function in self._made.items():
            if name in changed:
                changed[name] = function(changed[name], params)
        return changed

    @cached_property
    def _made(self) -> dict[str, Drawn | Compose]:
        items = self.functions.items()
        return {name: f if isinstance(f, (Drawn, Compose)) else Drawn(f) for name, f in items}
