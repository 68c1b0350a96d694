"""Writing a folder of images: beside its place first, then all at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from leaven.errors import DatasetError
from leaven_plugins.datasets.class_table import CLASSES, encode_classes
from leaven_plugins.datasets.image_files import EXTENSIONS
from leaven_plugins.datasets.image_naming import Naming
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import disk_errors_named

_OURS = ".leaven-"


def write_folder(path: Path, samples: Iterable[Mapping[Any, Any] | bytes], overwrite: bool) -> int:
    """Write the images of samples to a folder; return how many there were."""
    _check_place(path, overwrite)
    with Staging(path) as staging:
        new, naming = staging.path / "new", Naming(path)
        with disk_errors_named(path):
            new.mkdir()
        for sample in samples:
            name, data = naming.place(sample)
            with disk_errors_named(path):
                _write(new / name, data)
        table = naming.table()
        with disk_errors_named(path):
            if table is not None:
                _write(new / CLASSES, encode_classes(table))
            os.sync()  # once for all: a million files one by one would take hours
            _check_place(path, overwrite)
            if path.exists():
                os.rename(path, staging.path / "old")
            os.rename(new, path)
    return naming.count


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _check_place(path: Path, overwrite: bool) -> None:
    """Raise a ``DatasetError`` where no folder may be written, so that nothing but images is ever replaced."""
    with disk_errors_named(path):
        exists, is_folder = path.exists(), path.is_dir()
    if not exists:
        return
    if not is_folder:
        raise DatasetError(f"{path}: is a file, where a folder is to be written")
    if any(path.iterdir()) and not overwrite:
        raise DatasetError(f"{path}: exists already; overwrite=True (--overwrite) replaces it")
    for folder, _, names in os.walk(path):
        for name in names:
            if not name.startswith(_OURS) and not name.lower().endswith(EXTENSIONS):
                raise DatasetError(f"{Path(folder, name)}: is no image, so {path} is not replaced: remove it yourself")
