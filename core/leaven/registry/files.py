"""Python files as modules: single-file plugins, and the user's own script in a worker process."""

from __future__ import annotations

import os
import re
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import NamedTuple

from leaven.errors import RecipeError, UnknownName, suggestion

MAIN = "__leaven_main__"
"""What the user's script is called where it is imported by a worker, so that its ``__main__`` guard stays shut."""

_PREFIX = "leaven_file_"
_loaded: dict[str, Source] = {}


class Source(NamedTuple):
    """A file of Python code as it was when it was read: its absolute path, and the SHA-256 of its bytes in hex."""

    path: str
    sha256: str


def file_module_name(path: str) -> str:
    """Return the module name of a single-file plugin: the same for the same resolved path, in any process."""
    resolved = os.path.realpath(path)
    stem = re.sub(r"\W", "_", os.path.splitext(os.path.basename(resolved))[0])
    return f"{_PREFIX}{stem}_{_sha256(resolved.encode())[:8]}"


def existing_file(path: str) -> str:
    """Return the resolved path of a Python file.

    Raises:
        UnknownName: there is no such file; the text names the nearest one beside it.
    """
    if not os.path.isfile(path):
        raise UnknownName(f"no file {path!r}{_neighbour(path)}")
    if not path.endswith(".py"):
        raise UnknownName(f"{path!r} is no Python file: its name must end with .py")
    return os.path.realpath(path)


def load_file(path: str) -> ModuleType:
    """Import a single-file plugin under its stable module name; a file that was imported before stays as it is."""
    name = file_module_name(path)
    module = sys.modules.get(name)
    return module if module is not None else _execute(name, os.path.realpath(path), _read(path))


def load_source(source: Source, name: str) -> ModuleType:
    """Import a file of another process under the module name that it has there.

    Raises:
        RecipeError: the file is gone, or not what it was when ``source`` was taken.
    """
    if name in sys.modules and _loaded.get(name) == source:
        return sys.modules[name]
    try:
        content = _read(source.path)
    except OSError as error:
        raise RecipeError(f"{source.path} cannot be read in the worker: {error}") from error
    if _sha256(content) != source.sha256:
        raise RecipeError(f"{source.path} has changed since the run was started: start the run again")
    return _execute(name, source.path, content)


def source_of_module(name: str) -> Source | None:
    """Return the file that a module was loaded from by :func:`load_file` or :func:`load_source`, or ``None``."""
    return _loaded.get(name)


def source_of_file(path: str) -> Source:
    """Return a file as it is now."""
    return Source(os.path.realpath(path), _sha256(_read(path)))


def _execute(name: str, path: str, content: bytes) -> ModuleType:
    """Run exactly the bytes that were hashed as a new module."""
    spec = spec_from_file_location(name, path, loader=SourceFileLoader(name, path))  # a script may lack the suffix .py
    assert spec is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        exec(compile(content, path, "exec", dont_inherit=True), vars(module))
    except BaseException:
        sys.modules.pop(name, None)
        raise
    _loaded[name] = Source(path, _sha256(content))
    return module


def _sha256(content: bytes) -> str:
    from hashlib import sha256  # 5 ms, for those who have such files

    return sha256(content).hexdigest()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _neighbour(path: str) -> str:
    folder, name = os.path.split(path)
    try:
        return suggestion(name, [entry for entry in os.listdir(folder or ".") if entry.endswith(".py")])
    except OSError:
        return f": there is no folder {folder!r}"
