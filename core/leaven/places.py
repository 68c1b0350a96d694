"""Places: where data and copies of data lie on this machine.

What is asked for comes first, then the environment variable ``LEAVEN_HOME``, then the user's file ``config.toml`` with
a table ``[paths]``, then what is customary on this system.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

_NAMES = ("data", "cache")


def data_dir(asked: str | Path | None = None) -> Path:
    """Return the folder of datasets: ``asked``, ``$LEAVEN_HOME/data``, ``data`` of the user's file, or the system's.

    It is made when something is put there.

    Raises:
        ConfigError: it, or what is to be above it, is a file; or the user's file is malformed.
    """
    return _place("data", asked)


def cache_dir(asked: str | Path | None = None) -> Path:
    """Return the folder of copies that can be made again: likewise with ``cache``; raises likewise."""
    return _place("cache", asked)


def config_file() -> Path:
    """Return the user's file, whether it exists or not."""
    from platformdirs import user_config_path

    return user_config_path("leaven") / "config.toml"


def remote_copy(uri: str, asked: str | Path | None = None) -> Path:
    """Return where the copy of a file lies that has an address, such as ``https://host/train.msgpack``."""
    address = uri.partition("#")[0].partition("?")[0].rstrip("/")
    folder = blake2b(uri.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
    return cache_dir(asked) / "remote" / folder / _file_name(address.rpartition("/")[2])


def _file_name(text: str) -> str:
    """Return a name that a file can have, which ends in the same way; with room for what is put before and behind."""
    name = text.replace("\0", "_").encode("utf-8", "replace")[-150:].decode("utf-8", "ignore")
    return "_" if name in ("", ".", "..") else name


def _place(name: str, asked: str | Path | None) -> Path:
    if asked:
        return _folder(asked, "the folder that was asked for")
    home = os.environ.get("LEAVEN_HOME", "")
    if home:
        return _folder(home, "LEAVEN_HOME") / name
    configured = _configured(name)
    if configured is not None:
        return _folder(configured, f"{config_file()}: paths.{name}")
    from platformdirs import user_cache_path, user_data_path

    return user_cache_path("leaven") if name == "cache" else user_data_path("leaven")


def _folder(path: str | Path, source: str) -> Path:
    """Return the path of a folder, which may not exist yet.

    Raises:
        ConfigError: it, or what is to be above it, is a file; or it begins with ``~`` and a user that does not exist.
    """
    from leaven.errors import ConfigError

    try:
        folder = Path(path).expanduser()
        existing = next((part for part in (folder, *folder.parents) if part.exists()), folder)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"{str(path)!r} cannot be a folder: {error}", source) from error
    if existing.exists() and not existing.is_dir():
        raise ConfigError(f"{str(folder)!r} has to be a folder, but {existing} is a file", source)
    return folder


def _configured(name: str) -> Path | None:
    """Return what the user's file says, or ``None``; a relative path is one below the file's folder.

    Raises:
        ConfigError: the file is not TOML, or its table of paths has something else in it.
    """
    file = config_file()
    if not file.is_file():
        return None
    from leaven.registry.toml import read_toml

    value = _checked(read_toml(file)[0].get("paths", {}), file).get(name)
    return None if value is None else file.parent / Path(value).expanduser()


def _checked(paths: object, file: Path) -> dict[str, str]:
    from leaven.errors import ConfigError, suggestion

    if not isinstance(paths, dict):
        raise ConfigError(f"paths: expected a table, not {paths!r}", str(file))
    for name, value in paths.items():
        if name not in _NAMES:
            raise ConfigError(f"paths.{name}: no such place{suggestion(name, _NAMES)}; places: data, cache", str(file))
        if not isinstance(value, str) or not value:
            raise ConfigError(f"paths.{name}: expected a path as a string, not {value!r}", str(file))
    return paths
