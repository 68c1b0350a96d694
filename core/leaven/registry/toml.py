"""TOML text: reading it with errors that name the file, single values given on the command line, writing it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from leaven.errors import ConfigError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def read_toml(source: str | os.PathLike[str]) -> tuple[dict[str, Any], str]:
    """Return the content of a TOML file and its name for errors.

    Args:
        source: path of the file. A string with a line break in it is taken for the text itself.

    Raises:
        ConfigError: there is no such file, or it is not TOML; the text has the line and the column.
    """
    import tomllib  # 13 ms, for those who read a configuration

    is_text = isinstance(source, str) and "\n" in source
    name = "" if is_text else os.fspath(source)
    try:
        text = os.fspath(source) if is_text else Path(source).read_text("utf-8")
        return tomllib.loads(text), name
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", name) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not text in UTF-8: {error}", name) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {str(error)[:1].lower()}{str(error)[1:]}", name) from error
    except RecursionError:
        raise ConfigError("is not TOML that can be read: nested too deep", name) from None


def value_of(text: str) -> Any:
    """Return a value as it is typed on a command line: a TOML value, or else the text itself."""
    import tomllib

    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    value = table["value"]
    return text if len(table) > 1 or isinstance(value, (date, datetime, time)) else value


def to_toml(table: Mapping[str, Any]) -> str:
    """Return a table of plain values as TOML text; entries that are ``None`` are left out.

    Raises:
        ConfigError: a value is of a type that TOML does not have; the text has its path.
    """
    return "\n".join(_lines(table, ())).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    present = {key: value for key, value in table.items() if value is not None}
    for key, value in present.items():
        if not isinstance(value, Mapping) and not _is_array_of_tables(value):
            yield f"{_key(key)} = {_inline(value, (*path, key))}"
    for key, value in present.items():
        inner = (*path, key)
        header = ".".join(_key(part) for part in inner)
        if isinstance(value, Mapping):
            yield from ("", f"[{header}]", *_lines(value, inner))
        elif _is_array_of_tables(value):
            for entry in value:
                yield from ("", f"[[{header}]]", *_lines(entry, inner))


def _is_array_of_tables(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _inline(value: Any, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (int, float)):
        return str(int(value)) if isinstance(value, int) else repr(float(value))
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return f"{{ {_joined(f'{_key(k)} = {_inline(v, (*path, k))}' for k, v in value.items() if v is not None)} }}"
    if isinstance(value, (list, tuple)):
        return f"[{_joined(_inline(entry, (*path, str(i))) for i, entry in enumerate(value))}]"
    raise ConfigError(f"{'.'.join(path)}: TOML has no {type(value).__name__}")


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escaped(c)) for c in text) + '"'


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
