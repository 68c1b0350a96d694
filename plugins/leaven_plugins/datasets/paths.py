"""Paths of datasets, as they come from code, call strings and tables."""

from __future__ import annotations

import os
from pathlib import Path

from leaven.errors import ParameterError


def path_of(path: str | Path) -> Path:
    """Return the path of a dataset.

    Raises:
        ParameterError: it is none, or an empty one, which would be the folder that the process happens to be in.
    """
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise ParameterError(f"path must be that of a file or folder, not {path!r}")
    return Path(path)
