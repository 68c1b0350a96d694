"""Writing a zip file of images, the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

from leaven_plugins.datasets.class_table import CLASSES, encode_classes
from leaven_plugins.datasets.image_naming import Naming
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import check_target, disk_errors_named

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can tell
_FILE = 0o100644 << 16


def write_zip(path: Path, samples: Iterable[Mapping[Any, Any] | bytes], overwrite: bool) -> int:
    """Write the images of samples to a zip file; return how many there were."""
    check_target(path, overwrite)
    with Staging(path) as staging:
        naming = Naming(path)
        with disk_errors_named(path):
            archive = ZipFile(staging.path / path.name, "w")
        try:
            for sample in samples:
                name, data = naming.place(sample)
                with disk_errors_named(path):
                    archive.writestr(_info(name), data)
            table = naming.table()
            if table is not None:
                with disk_errors_named(path):
                    archive.writestr(_info(CLASSES), encode_classes(table))
        finally:
            with disk_errors_named(path):
                archive.close()
        with disk_errors_named(path):
            staging.sync([path.name])
            check_target(path, overwrite)
            staging.commit([path.name])
    return naming.count


def _info(name: str) -> ZipInfo:
    """Return the head of a member; images are stored as they are, since packing makes them no smaller."""
    info = ZipInfo(name, _LONG_AGO)
    info.create_system = 3  # whatever system this is
    info.external_attr = _FILE
    return info
