"""Import strings: ``"package.module:Name"`` to the object of that name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from leaven.errors import ParameterError, suggestion


def import_target(target: str) -> Any:
    """Import the module of ``"package.module:Name.inner"`` and return what it calls so.

    Raises:
        ImportError: the module cannot be imported (and whatever else it raises when it is).
        AttributeError: the module has no such name; the text has the nearest one.
    """
    module, _, path = target.partition(":")
    return named_within(import_module(module), path)


def import_named(target: str, where: str) -> Any:
    """Return what a parameter names as ``"package.module:name"``.

    Args:
        target: the name.
        where: component and parameter, for errors.

    Raises:
        ParameterError: it is no such name, or leads nowhere.
    """
    if not all(target.partition(":")):
        raise ParameterError(f"{where}: {target!r}: expected a name such as 'package.module:name'")
    try:
        return import_target(target)
    except (ImportError, AttributeError, TypeError, ValueError) as error:  # the last two: names that begin with a dot
        raise ParameterError(f"{where}: {target!r} cannot be imported: {error}") from error


def named_within(found: Any, path: str) -> Any:
    """Return what the dotted ``path`` leads to from ``found``."""
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            owner = getattr(found, "__name__", repr(found))
            raise AttributeError(f"{owner} has no {name!r}{suggestion(name, dir(found))}") from None
    return found
