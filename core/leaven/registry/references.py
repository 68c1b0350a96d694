"""References: classes and functions by module and name, so that another process finds the same ones."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NamedTuple

from leaven.errors import LeavenError, RecipeError
from leaven.registry.files import MAIN, Source, load_source, source_of_file, source_of_module
from leaven.registry.imports import named_within

WAYS_OUT = "put it into a module of its own, load it with -p file.py, or use transport='inline'"


class Reference(NamedTuple):
    """A class or function: ``"module:name"``, and the file of the module where it is not one to import by name."""

    target: str
    source: Source | None = None

    def resolve(self) -> Any:
        """Import the module and return what is meant.

        Raises:
            RecipeError: that fails, or the file is not what it was.
        """
        module, _, name = self.target.partition(":")
        try:
            return named_within(load_source(self.source, module) if self.source else import_module(module), name)
        except (KeyboardInterrupt, LeavenError):
            raise
        except BaseException as error:  # a script that calls sys.exit() must not end the worker that imports it
            raise RecipeError(f"{self._shown()}: {type(error).__name__}: {error}{self._guard()}") from error

    def _shown(self) -> str:
        name = self.target.partition(":")[2] if self.source else self.target
        return f"{name} cannot be imported" + (f" from {self.source.path}" if self.source else "")

    def _guard(self) -> str:
        if not self.target.startswith(f"{MAIN}:"):
            return ""
        return " (a worker imports the script: what it is to run belongs under if __name__ == '__main__')"


def reference_to(target: Any, where: str = "") -> Reference:
    """Return the reference to a class, a function or an import string.

    Args:
        target: what is referred to.
        where: path of the parameter that it is the value of, for errors.

    Raises:
        RecipeError: no other process could find it: it is a lambda, or was defined in a function or a notebook.
    """
    front = f"{where}: " if where else ""
    if isinstance(target, str):
        return Reference(target, source_of_module(target.partition(":")[0]))
    module, name = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    if not module or not name:
        raise RecipeError(f"{front}{target!r} is neither a class nor a function of a module: {WAYS_OUT}")
    if "<lambda>" in name:
        raise RecipeError(f"{front}a lambda cannot be handed to another process: make it a function; {WAYS_OUT}")
    if "<locals>" in name:
        raise RecipeError(f"{front}{name} is defined within a function, where no other process finds it: {WAYS_OUT}")
    if module == "__main__":
        return _in_script(name, front)
    if _found_again(module, name) is not target:
        raise RecipeError(f"{front}{module}:{name} is another object than this one: {WAYS_OUT}")
    return Reference(f"{module}:{name}", source_of_module(module))


def _in_script(name: str, front: str) -> Reference:
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name != "__main__":  # python -m package.module
        return Reference(f"{spec.name}:{name}")
    path = getattr(main, "__file__", None)
    if path is None or not os.path.isfile(path):
        raise RecipeError(
            f"{front}{name} is defined in a notebook or at a prompt, where no other process finds it: {WAYS_OUT}"
        )
    return Reference(f"{MAIN}:{name}", source_of_file(path))


def _found_again(module: str, name: str) -> Any:
    try:
        return named_within(sys.modules.get(module), name)
    except AttributeError:
        return None
