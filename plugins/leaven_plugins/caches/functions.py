"""Functions as parameters: given as such, or by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leaven.errors import ParameterError
from leaven.registry.imports import import_named


def function_of(function: Callable[..., Any] | str, where: str) -> Callable[..., Any]:
    """Return a function that is given as one, or as ``"package.module:name"``.

    Args:
        function: the function or its name.
        where: component and parameter, for errors.

    Raises:
        ParameterError: it is neither, or cannot be imported.
    """
    found: Any = import_named(function, where) if isinstance(function, str) else function
    if not callable(found):
        raise ParameterError(f"{where}: {function!r} is no function")
    checked: Callable[..., Any] = found
    return checked
