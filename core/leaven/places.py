"""Places: where data and copies of data lie on this machine.

What is asked for comes first, then the environment variable ``LEAVEN_HOME``, then the user's file ``config.toml`` with
a table ``[paths]``, then what is customary on this system.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path


def data_dir(asked: str | Path | None = None) -> Path:
    """Return the folder of datasets: ``asked``, ``$LEAVEN_HOME/data``, ``data`` of the user's file, or the system's."""
    return _place("data", asked)


def cache_dir(asked: str | Path | None = None) -> Path:
    """Return the folder of copies that can be made again: likewise with ``cache``."""
    return _place("cache", asked)


def config_file() -> Path:
    """Return the user's file, whether it exists or not."""
    from platformdirs import user_config_path

    return user_config_path("leaven") / "config.toml"


def remote_copy(uri: str, asked: str | Path | None = None) -> Path:
    """Return where the copy of a file lies that has an address, such as ``https://host/train.msgpack``."""
    address = uri.partition("#")[0].partition("?")[0].rstrip("/")
    return cache_dir(asked) / "remote" / blake2b(uri.encode(), digest_size=10).hexdigest() / address.rpartition("/")[2]


def _place(name: str, asked: str | Path | None) -> Path:
    if asked:
        return Path(asked).expanduser()
    home = os.environ.get("LEAVEN_HOME", "")
    if home:
        return Path(home).expanduser() / name
    configured = _configured(name)
    if configured is not None:
        return configured
    from platformdirs import user_cache_path, user_data_path

    return user_cache_path("leaven") if name == "cache" else user_data_path("leaven")


def _configured(name: str) -> Path | None:
    """Return what the user's file says, or ``None``; a relative path is one below the file's folder.

    Raises:
        ConfigError: the file is not TOML, or the path is not a string.
    """
    file = config_file()
    if not file.is_file():
        return None
    from leaven.errors import ConfigError
    from leaven.registry.toml import read_toml

    paths = read_toml(file)[0].get("paths", {})
    value = paths.get(name) if isinstance(paths, dict) else paths
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigError(f"paths.{name}: expected a path as a string, not {value!r}", str(file))
    return file.parent / Path(value).expanduser()
