"""Making archives of folders."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.copying.sources import walked


def create_zips(source: str | Path, destination: str | Path, batch_size: int | None = None) -> list[Path]:
    """Pack a folder into archives, which a network drive copies faster than many small files.

    Members are stored as they are, since images are compressed already. An archive takes its name once it is whole.

    Args:
        source: a folder of folders, one for each class: each becomes an archive of its name. With ``batch_size`` a
            folder of files.
        destination: the folder of the archives, which is made.
        batch_size: how many files are in each of ``batch_00.zip``, ``batch_01.zip``, ...

    Returns:
        The archives.

    Raises:
        ParameterError: ``batch_size`` is no number above 0.
        DatasetError: there is no such folder, it holds something else, an archive exists, or cannot be written.
    """
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        raise ParameterError(f"batch_size={batch_size!r}: expected a whole number, at least 1")
    origin, target = Path(source), Path(destination)
    try:
        groups = dict(_of_classes(origin) if batch_size is None else _of_batches(origin, batch_size))
        target.mkdir(parents=True, exist_ok=True)
        return [_packed(root, files, target / f"{name}.zip") for name, (root, files) in groups.items()]
    except OSError as error:
        raise DatasetError(f"{error.filename or origin}: cannot be packed: {error.strerror or error}") from error


def _of_classes(origin: Path) -> Iterator[tuple[str, tuple[Path, list[Path]]]]:
    for folder in sorted(origin.iterdir()):
        if not folder.is_dir():
            raise DatasetError(f"{folder}: is a file; a folder of files alone is packed with batch_size")
        yield folder.name, (folder, [folder / name for name, status in walked(folder) if stat.S_ISREG(status.st_mode)])


def _of_batches(origin: Path, size: int) -> Iterator[tuple[str, tuple[Path, list[Path]]]]:
    found = dict(walked(origin))
    if folder := next((name for name, status in found.items() if stat.S_ISDIR(status.st_mode)), None):
        raise DatasetError(f"{origin / folder}: is a folder; folders of classes are packed without batch_size")
    files = [origin / name for name in found]
    starts = range(0, len(files), size)
    digits = max(2, len(str(len(starts) - 1)))
    for number, start in enumerate(starts):
        yield f"batch_{number:0{digits}}", (origin, files[start : start + size])


def _packed(root: Path, files: list[Path], target: Path) -> Path:
    if target.exists():
        raise DatasetError(f"{target}: exists already")
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for path in files:
                archive.write(path, path.relative_to(root).as_posix())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return target
