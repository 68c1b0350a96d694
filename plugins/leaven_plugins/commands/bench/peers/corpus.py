"""The corpus: images to measure loaders with, made once from photographs."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from leaven.errors import DatasetError
from leaven.registry.registry import Registry
from leaven_plugins.commands.bench.peers.photographs import Photograph
from leaven_plugins.commands.bench.peers.runners.request import name_of
from leaven_plugins.commands.bench.peers.shaping import Random, Shape, large_shape, shaped, small_shape

VERSION = 1
"""Of the way in which images are made; another one makes a new corpus."""
NATIVE = "leaven_turbo._native"
"""The module that repacks images."""
INTERVAL = 4
"""Blocks of pixels (MCUs) between the restart markers of a repacked image."""

_SHAPES: dict[str, Callable[[Random], Shape]] = {"small": small_shape, "large": large_shape}
_THREADS = 4  # each holds a photograph, of up to 70 MB


@dataclass(frozen=True)
class Manifest:
    """What a corpus is made of, and what it is like.

    Attributes:
        kind: ``small`` or ``large``.
        version: :data:`VERSION`.
        seed: that it was made with.
        count: of images.
        mean_width: in pixels.
        mean_height: in pixels.
        mean_bytes: of the JPEGs.
        packages: name of a Debian package, or ``leaven`` -> how many of its photographs were used.
        sources: their files.
    """

    kind: str
    version: int
    seed: int
    count: int
    mean_width: float
    mean_height: float
    mean_bytes: float
    packages: dict[str, int]
    sources: list[str]


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk.

    ``images/`` has the JPEGs, ``images.msgpack`` the same packed, with ``key``, ``image`` and ``label``, and
    ``images.tar`` the same in an archive. The label of an image is its position.
    """

    folder: Path
    manifest: Manifest

    @property
    def packed(self) -> Path:
        """The packed dataset."""
        return self.folder / "images.msgpack"

    @property
    def files(self) -> list[Path]:
        """The images, by position."""
        return [self.folder / "images" / name_of(position) for position in range(self.manifest.count)]

    def indexed(self, registry: Registry) -> Path:
        """Return the dataset of the repacked images, with an index under ``image_index``; it is made at the first call.

        Raises:
            MissingPackageError: leaven-turbo is not installed.
        """
        path = self.folder / "indexed.msgpack"
        if not path.exists():
            native = import_module(NATIVE)
            _write_packed(registry, path, self.files, lambda data: _repacked(native, data))
        return path


def corpus(
    root: Path, kind: str, count: int, seed: int, photographs: Callable[[], Sequence[Photograph]], registry: Registry
) -> Corpus:
    """Return a corpus, which is made where it is not there yet.

    Args:
        root: folder of all corpora.
        kind: ``small`` or ``large``.
        count: of images.
        seed: the same seed and photographs give the same files, with the same OpenCV.
        photographs: returns what it is made of.
        registry: where the packed dataset's writer is looked up.

    Raises:
        DatasetError: it cannot be written.
    """
    folder = root / f"{kind}-{count}-seed{seed}-v{VERSION}"
    manifest = folder / "manifest.json"
    try:
        if not manifest.exists():
            root.mkdir(parents=True, exist_ok=True)
            _make(folder, kind, count, seed, photographs(), registry)
        return Corpus(folder, Manifest(**json.loads(manifest.read_text())))
    except OSError as error:
        raise DatasetError(f"{folder}: the corpus cannot be made: {error.strerror or error}") from error


def _make(
    folder: Path, kind: str, count: int, seed: int, photographs: Sequence[Photograph], registry: Registry
) -> None:
    """Make a corpus beside where it is to be, so that it is complete as soon as it is there."""
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        making = Path(name) / "corpus"
        images = making / "images"
        images.mkdir(parents=True)
        used = _write_images(images, kind, count, seed, photographs)
        files = [images / name_of(position) for position in range(count)]
        _write_packed(registry, making / "images.msgpack", files, lambda data: {"image": data})
        _write_tar(making / "images.tar", files)
        manifest = _manifest(kind, seed, files, used, registry)
        (making / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(making, folder)


def _write_images(
    folder: Path, kind: str, count: int, seed: int, photographs: Sequence[Photograph]
) -> list[Photograph]:
    """Write the images, and return the photographs that were used. Each is decoded once, whatever is made of it."""
    order = np.random.default_rng([seed, VERSION]).permutation(len(photographs)).tolist()
    parts = [(photographs[place], range(turn, count, len(order))) for turn, place in enumerate(order[:count])]

    def write(part: tuple[Photograph, Sequence[int]]) -> Photograph:
        photograph, positions = part
        pixels = photograph.pixels()
        for position in positions:
            random = np.random.default_rng([seed, VERSION, position])
            (folder / name_of(position)).write_bytes(shaped(pixels, _SHAPES[kind](random), random))
        return photograph

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _THREADS)) as threads:
        return sorted(threads.map(write, parts))


def _write_packed(
    registry: Registry, path: Path, files: Sequence[Path], fields: Callable[[bytes], dict[str, Any]]
) -> None:
    def samples() -> Iterator[dict[str, Any]]:
        for position, file in enumerate(files):
            yield {"key": file.stem, **fields(file.read_bytes()), "label": position}

    registry.find("dataset:msgpack").load().write(path, samples())


def _repacked(native: Any, data: bytes) -> dict[str, Any]:
    repacked = native.repack(data, INTERVAL, True, True, True)
    return {"image": repacked, "image_index": native.make_index(repacked, INTERVAL)}


def _write_tar(path: Path, files: Sequence[Path]) -> None:
    with tarfile.open(path, "w") as archive:
        for file in files:
            archive.add(file, file.name)


def _manifest(kind: str, seed: int, files: Sequence[Path], used: Sequence[Photograph], registry: Registry) -> Manifest:
    decoder = registry.create("decoder:opencv")
    infos = [decoder.info(file.read_bytes()) for file in files]
    names = [photograph.package for photograph in used]
    return Manifest(
        kind=kind,
        version=VERSION,
        seed=seed,
        count=len(files),
        mean_width=round(mean(info.width for info in infos), 1),
        mean_height=round(mean(info.height for info in infos), 1),
        mean_bytes=round(mean(file.stat().st_size for file in files), 1),
        packages={name: names.count(name) for name in sorted(set(names))},
        sources=[photograph.source for photograph in used],
    )
