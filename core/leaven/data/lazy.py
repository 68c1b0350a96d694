"""Lazy: what a dataset finds out at the first access, and forgets when it is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_T = TypeVar("_T")


class lazy(Generic[_T]):  # noqa: N801 - used as a decorator, like property
    """A property that is computed at the first access, and then kept.

    Unlike ``functools.cached_property`` of Python 3.11 it takes no lock: that is one for all instances of a class, so
    that two threads could wait for each other, one over a percentage of several datasets, the other over several
    percentages. Threads that ask at the same time compute the same.
    """

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the value: the first time only, since afterwards the instance has an attribute of this name."""
        if instance is None:
            return self
        try:
            value = instance.__dict__[self._name] = self._compute(instance)
        except AttributeError as error:  # Python would ask __getattr__ next, and tell that there is no such property
            raise RuntimeError(f"{type(instance).__name__}.{self._name}: {error}") from error
        return value


def forget(dataset: Any) -> None:
    """Drop the values of all lazy properties."""
    for name in _found_out(dataset):
        dataset.__dict__.pop(name, None)


def state(dataset: Any) -> dict[str, Any]:
    """Return the attributes without lazy properties: what a copy, or another process, is to have."""
    found_out = _found_out(dataset)
    return {name: value for name, value in dict(vars(dataset)).items() if name not in found_out}


def _found_out(dataset: Any) -> set[str]:
    return {name for name in list(vars(dataset)) if isinstance(getattr(type(dataset), name, None), lazy)}
