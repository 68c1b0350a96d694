"""Parameters: what the constructor of a component takes, and which of that are components themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from leaven.errors import DeclarationError, suggestion
from leaven.registry.annotations import Taken, components_taken

REQUIRED: Any = inspect.Parameter.empty
"""The default of a parameter that has none."""

_VARIADIC = [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]
_UNNAMED = (*_VARIADIC, inspect.Parameter.POSITIONAL_ONLY)


class Parameter(NamedTuple):
    """One parameter of a component.

    ``default`` is :data:`REQUIRED` where there is none. ``annotation`` is text, ``""`` where there is none. ``takes``
    are the kinds of components that it takes, none for a plain value.
    """

    name: str
    default: Any
    annotation: str
    takes: tuple[Taken, ...]

    @property
    def kind(self) -> str:
        """The kind of component that it takes; ``""`` for a plain value, or where it takes several."""
        kinds = {taken.kind for taken in self.takes}
        return kinds.pop() if len(kinds) == 1 else ""

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        return self.default is REQUIRED


def parameters_of(target: Callable[..., Any]) -> dict[str, Parameter]:
    """Return the parameters of a class or factory, by name, in order.

    Raises:
        DeclarationError: it takes ``*args``, ``**kwargs`` or positional-only parameters, or has no signature.
    """
    function = _constructor(target)
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise DeclarationError(f"{_title(target)} has no signature that could be checked: {error}") from error
    if function is not target:
        del found[0]  # self, or the class
        if function.__name__ not in vars(target) and [parameter.kind for parameter in found] == _VARIADIC:
            return {}  # not its own words but a base's, such as torch's modules have: it takes nothing
    for parameter in found:
        if parameter.kind in _UNNAMED:
            shown = parameter.replace(annotation=inspect.Parameter.empty)
            raise DeclarationError(f"{_title(target)} takes {shown}: a component names each of its parameters")
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    return {parameter.name: _described(parameter, scope) for parameter in found}


def takes_text(name: str, parameters: Iterable[str]) -> str:
    """Return what follows the name of a parameter that does not exist: the nearest one, and all that there are."""
    names = list(parameters)
    return f"{suggestion(name, names) or ';'} it takes: {', '.join(names) or 'no parameters'}"


def _constructor(target: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function whose signature counts; a class' one has a first parameter that does not."""
    if not isinstance(target, type):
        return target
    names = [name for name in ("__init__", "__new__") if getattr(target, name) is not getattr(object, name)]
    function: Callable[..., Any] = getattr(target, names[0]) if names else target
    return function


def _described(parameter: inspect.Parameter, scope: Mapping[str, Any]) -> Parameter:
    annotation = parameter.annotation
    if annotation is inspect.Parameter.empty:
        return Parameter(parameter.name, parameter.default, "", ())
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return Parameter(parameter.name, parameter.default, text, components_taken(annotation, scope))


def _title(target: Any) -> str:
    return f"{getattr(target, '__module__', '')}:{getattr(target, '__qualname__', repr(target))}".lstrip(":")
