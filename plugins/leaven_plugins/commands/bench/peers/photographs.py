"""Photographs to make a corpus of: wallpapers that Debian packages install, or the one that comes with leaven."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.photos.shipped import NAMES, photo

FOLDERS = (Path("/usr/share/backgrounds"), Path("/usr/share/wallpapers"))
"""Where packages put them: mate-backgrounds, gnome-backgrounds, plasma-workspace-wallpapers and others."""

_SUFFIXES = {".jpg", ".jpeg"}  # wallpapers in other formats are drawn or rendered
_LEAST_SIDE = 1000  # pixels
_PROBE = 512  # pixels of the shorter side at which it is looked at
_LEAST_BYTES = 0.15  # per pixel there, as a JPEG of quality 90; drawings and gradients take less


class Photograph(NamedTuple):
    """A photograph: a file of a package, or (``package`` is ``leaven``) the name of one that is shipped."""

    source: str
    package: str

    def pixels(self) -> NDArray[Any]:
        """Return the image, BGR.

        Raises:
            ValueError: it cannot be read.
        """
        shipped = self.package == "leaven"
        data = np.frombuffer(photo(self.source), np.uint8) if shipped else np.fromfile(self.source, np.uint8)
        image: NDArray[Any] | None = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"cannot decode the photograph {self.source}")
        return image


def photographs(folders: Sequence[Path] = FOLDERS) -> list[Photograph]:
    """Return all photographs below these folders, by path; those that come with leaven where there are none."""
    found = [path for folder in folders for path in _largest(folder) if _is_photograph(path)]
    packages = _packages(found)
    installed = [Photograph(str(path), packages.get(path, "unknown")) for path in found]
    return installed or [Photograph(name, "leaven") for name in NAMES]


def _largest(folder: Path) -> Iterator[Path]:
    """Yield images; of several sizes of the same one, which have a folder of their own, the largest."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES and not path.is_symlink()]
    for path in files:
        beside = [other for other in files if other.parent == path.parent]
        sizes = path.parent.name == "images"
        if not sizes or path == max(beside, key=lambda other: other.stat().st_size):
            yield path


def _is_photograph(path: Path) -> bool:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
    if image is None or min(image.shape[:2]) < _LEAST_SIDE:
        return False
    scale = _PROBE / min(image.shape[:2])
    reduced = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", reduced, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return bool(len(encoded) >= _LEAST_BYTES * reduced.shape[0] * reduced.shape[1])


def _packages(paths: Sequence[Path]) -> dict[Path, str]:
    """Return of which package each file is, as far as Debian's tool knows."""
    if not paths:
        return {}
    try:
        done = subprocess.run(["dpkg-query", "-S", *map(str, paths)], capture_output=True, text=True, check=False)
    except OSError:  # another system
        return {}
    lines = (line.partition(": ") for line in done.stdout.splitlines())
    return {Path(path): package for package, _, path in lines}
