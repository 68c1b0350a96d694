"""Writing what was packed: blocks by an engine, then the files of the destination, each of them at once."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.data.jobs import engine_of, run_job
from leaven.errors import DatasetError, ParameterError, listing, suggestion
from leaven.registry.opening import Writer, find_writer
from leaven_plugins.datasets.replacing import Replacement
from leaven_plugins.datasets.targets import disk_errors_named
from leaven_plugins.jobs.pack.folder import WorkFolder, folder_of, shard_path
from leaven_plugins.jobs.pack.identity import digest_of, is_read_from
from leaven_plugins.jobs.pack.job import plain_tally
from leaven_plugins.jobs.pack.parts import read_part
from leaven_plugins.repacking.tally import Tally

if TYPE_CHECKING:
    from leaven.protocols import Engine
    from leaven.registry.registry import Registry
    from leaven_plugins.jobs.pack.job import Packing

Advance = Callable[[int], object]


class Destination(NamedTuple):
    """Where to, and how; the fields are arguments of :meth:`Packing.write`."""

    path: Path
    format: str | None = None
    shard: int | None = None
    overwrite: bool = False
    options: Mapping[str, Any] = {}


@dataclass
class Report:
    """What was written.

    Attributes:
        format: name of the format.
        paths: the files.
        samples: how many samples are in them.
        bytes: how large they are.
        blocks: how many blocks were done for that; 0 where samples were written at once.
        resumed: how many of the blocks were there from a former run.
        kept: how many of the shards were there, and are as they were.
        tally: what became of JPEGs that were to get restart markers.
    """

    format: str
    paths: list[Path] = field(default_factory=list)
    samples: int = 0
    bytes: int = 0
    blocks: int = 0
    resumed: int = 0
    kept: int = 0
    tally: Tally = field(default_factory=Tally)


class _Target(NamedTuple):
    """One file that is to be written, and which shard it is."""

    path: Path
    shard: int


def write_packed(
    packing: Packing,
    destination: Destination,
    engine: Engine | str | Mapping[str, Any] | None,
    workers: int | None,
    advance: Advance,
    registry: Registry | None,
) -> Report:
    """Write a dataset; arguments and errors as for :meth:`Packing.write`."""
    if registry is None:
        from leaven.registry.registry import default_registry

        registry = default_registry()
    writer = find_writer(destination.path, destination.format, registry)
    check_options(writer, destination.options)
    targets = _targets(packing, destination)
    for target in targets:
        if is_read_from(packing.dataset, target.path):  # once the one has gone, and the other is not there yet ...
            raise DatasetError(f"{target.path}: is what is read, too; name another file")
    digest = digest_of(packing, writer.format, destination.options)
    writing = _Writing(packing, destination, writer, digest, advance, Report(writer.format))
    rest = [target for target in targets if not writing.is_there(target)]
    blocks = [block for target in rest for block in packing.cut.blocks_of(target.shard)]
    total = sum(len(packing.cut.rows_of(target.shard)) for target in rest)
    asked = engine is not None or workers is not None
    made = engine_of(engine, workers, registry) if asked else None  # what it does not take is told in any case
    pays = packing.changes_images and total > packing.block
    if (asked and len(blocks) > 1) or (digest is not None and (pays or folder_of(writing.whole).exists())):
        writing.in_blocks(rest, blocks, lambda rest, folder: run_job(packing, rest, folder, made, None, registry))
    else:
        writing.at_once(rest)
    return writing.report


def check_options(writer: Writer, options: Mapping[str, Any]) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` where a format's writer does not take one of these options."""
    own = ("path", "samples", "overwrite")
    known = [name for name in inspect.signature(writer.write).parameters if name not in own]
    for name in options.keys() - set(known):
        hint = suggestion(name, known)
        raise ParameterError(f"{writer.format} is written without an option {name!r}{hint}; there is: {listing(known)}")


def _targets(packing: Packing, destination: Destination) -> list[_Target]:
    path, shards, shard = destination.path, packing.shards, destination.shard
    if shard is not None and not 0 <= shard < shards:
        raise ParameterError(f"shard={shard}: there are {shards}, from 0 to {shards - 1}")
    if shards == 1 and shard is None:
        return [_Target(path, 0)]
    chosen = range(shards) if shard is None else [shard]
    return [_Target(shard_path(path, number), number) for number in chosen]


@dataclass(frozen=True)
class _Writing:
    packing: Packing
    destination: Destination
    writer: Writer
    digest: str | None
    advance: Advance
    report: Report

    @property
    def whole(self) -> Path:
        """The path that the working folder is named after."""
        path, shard = self.destination.path, self.destination.shard
        return path if shard is None else shard_path(path, shard)

    def is_there(self, target: _Target) -> bool:
        """Return whether a shard is there from a former run, and is what this one would write; count it then."""
        found = self._manifest(target)
        if found is None or not target.path.exists() or found["bytes"] != _size(target.path):
            return False
        self.report.kept += 1
        self._count(target, found["samples"], found)
        self.advance(found["samples"])
        return True

    def at_once(self, targets: Iterable[_Target]) -> None:
        """Write the samples as they are read."""
        for target in targets:
            tally, ours = Tally(), self._has_begun(target)
            self._check(target.path, ours)
            messages = self.packing.messages(self.packing.cut.rows_of(target.shard), tally)
            self._write(target, _told(messages, self.advance), tally, ours)

    def in_blocks(
        self,
        targets: list[_Target],
        blocks: list[int],
        run: Callable[[list[int], Path], Iterable[tuple[int, Mapping[str, Any]]]],
    ) -> None:
        """Write the blocks that are not there yet, and then the files."""
        with WorkFolder(self.whole, f"{self.digest or token_hex()} {self.packing.block}") as folder:
            for target in targets:
                self._check(target.path, folder.has_begun(target.path) or self._has_begun(target))
            done = folder.done(blocks)
            self.report.blocks, self.report.resumed = len(blocks), len(done)
            for manifest in done.values():
                self.advance(manifest["samples"])
            missing = [block for block in blocks if block not in done]
            for block, manifest in run(missing, folder.path) if missing else ():
                done[block] = manifest
                self.advance(manifest["samples"])
            for target in targets:
                self._assemble(target, folder, done)
            folder.remove()

    def _assemble(self, target: _Target, folder: WorkFolder, done: Mapping[int, Mapping[str, Any]]) -> None:
        manifests = [done[block] for block in self.packing.cut.blocks_of(target.shard)]
        ours = folder.has_begun(target.path) or self._has_begun(target)
        self._check(target.path, ours)
        folder.begin(target.path)
        messages = (message for manifest in manifests for message in read_part(folder.path, manifest))
        self._write(target, messages, _sum(manifests), ours)

    def _write(self, target: _Target, messages: Iterable[bytes], tally: Tally, ours: bool) -> None:
        """Write a file; the tally is complete once all messages have been taken. ``ours``: it may be there by now."""
        about = {"settings": self.digest, "shard": target.shard, "shards": self.packing.shards}
        if self._is_sharded:
            _put(_manifest_path(target.path), {**about, "bytes": None})  # a shard that is there from now on is ours
        replace = {"overwrite": True} if self.destination.overwrite or ours else {}
        count = self.writer.write(target.path, messages, **replace, **self.destination.options)
        made = {**about, "samples": count, "bytes": _size(target.path), **plain_tally(tally)}
        if self._is_sharded:
            _put(_manifest_path(target.path), made)
        self._count(target, count, made)

    def _has_begun(self, target: _Target) -> bool:
        """Return whether a run like this one has begun to write a shard, and was ended before it could say more."""
        found = self._manifest(target)
        return found is not None and found["bytes"] is None

    def _manifest(self, target: _Target) -> Mapping[str, Any] | None:
        """Return the manifest of a shard, if it is there and of the same settings."""
        if not self._is_sharded or self.digest is None:
            return None
        try:
            found = json.loads(_manifest_path(target.path).read_bytes())
            return found if found["settings"] == self.digest and "bytes" in found else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @property
    def _is_sharded(self) -> bool:
        return self.packing.shards > 1 or self.destination.shard is not None

    def _check(self, path: Path, ours: bool) -> None:
        if path.exists() and not (self.destination.overwrite or ours):
            raise DatasetError(f"{path}: exists already; --overwrite replaces it, in Python overwrite=True")

    def _count(self, target: _Target, samples: int, made: Mapping[str, Any]) -> None:
        self.report.paths.append(target.path)
        self.report.samples += samples
        self.report.bytes += made["bytes"]
        _add(self.report.tally, made)


def _told(messages: Iterable[bytes], advance: Advance) -> Iterator[bytes]:
    for message in messages:
        yield message
        advance(1)


def _sum(manifests: Iterable[Mapping[str, Any]]) -> Tally:
    total = Tally()
    for manifest in manifests:
        _add(total, manifest)
    return total


def _add(tally: Tally, plain: Mapping[str, Any]) -> None:
    tally.outcomes.update(plain["outcomes"])
    tally.before += plain["before"]
    tally.after += plain["after"]


def _size(path: Path) -> int:
    """Return how large a file, or all of a folder, is."""
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if not file.is_dir())


def _manifest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.manifest.json")


def _put(path: Path, manifest: Mapping[str, Any]) -> None:
    with disk_errors_named(path), Replacement(path) as replacement:
        replacement.file.write(json.dumps(manifest).encode())
        replacement.sync()
        replacement.place()
