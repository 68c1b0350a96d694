"""The snapshots of a run: which there are, and whether they are whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from leaven_plugins.commands.ckpt.description import problem_of, size_of, values_text, written
from leaven_plugins.commands.data.report import size_text
from leaven_plugins.snapshots.errors import SnapshotError
from leaven_plugins.snapshots.manifest import MANIFEST, read_about, read_manifest
from leaven_plugins.snapshots.shelf import Shelf, shelf_at


def list_snapshots(path: Path) -> dict[str, Any]:
    """Return the snapshots in a folder of snapshots or of a run, and which are the last and the best.

    Raises:
        SnapshotError: there are none.
    """
    shelf = _filled_shelf(path)
    return {
        "folder": shelf.folder,
        "last": _found(shelf.last),
        "best": _found(shelf.best),
        "snapshots": [_entry(one) for one in shelf.all()],
    }


def rows(listed: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a table of what :func:`list_snapshots` returns."""
    for one in listed["snapshots"]:
        marks = [mark for mark in ("last", "best") if listed[mark] == one["path"]]
        yield (
            one["path"].name,
            "" if one["epoch"] is None else str(one["epoch"]),
            "" if one["iteration"] is None else str(one["iteration"]),
            "" if one["bytes"] is None else size_text(one["bytes"]),
            one["written"] or "",
            values_text(one["values"]),
            one["problem"] or ", ".join(marks),
        )


def verify_all(path: Path) -> list[dict[str, Any]]:
    """Read a snapshot, or all of those in a folder; return for each its path, bytes, files and what is wrong.

    Raises:
        SnapshotError: there are none.
    """
    return [_verified(one) for one in ([path] if (path / MANIFEST).is_file() else _filled_shelf(path).all())]


def _filled_shelf(path: Path) -> Shelf:
    shelf = shelf_at(path)
    if not shelf.all():
        raise SnapshotError(f"{shelf.folder}: no snapshots (folders like epoch_0001)")
    return shelf


def _found(find: Callable[[], Path]) -> Path | None:
    try:
        return find()
    except SnapshotError:
        return None


def _entry(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = {}
    known: dict[str, Any] = {"path": path, "bytes": None, "written": None, "problem": None}
    try:
        known |= {"bytes": size_of(read_manifest(path)), "written": written(path)}
        about = read_about(path)
    except SnapshotError as error:
        known["problem"] = str(error)
    return {**known, **{name: about.get(name) for name in ("epoch", "iteration", "values")}}


def _verified(path: Path) -> dict[str, Any]:
    problem = problem_of(path)
    if problem:
        return {"path": path, "bytes": None, "files": None, "problem": problem}
    manifest = read_manifest(path)
    return {"path": path, "bytes": size_of(manifest), "files": len(manifest.files), "problem": None}
