"""Going on from a snapshot: which one is meant, and what of it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from leaven.errors import LeavenError
from leaven_plugins.snapshots.files import Snapshot
from leaven_plugins.snapshots.shelf import find_snapshot

_WORDS = ("last", "best")
_LEFT_OUT = {"leaven.plugins"}


def snapshot_meant(what: str, wanted: Path) -> Path:
    """Return the folder of the snapshot that ``--resume`` means.

    Args:
        what: ``last`` or ``best`` of the newest run in ``wanted``, ``wanted-2``, ...; or the path of a snapshot, or of
            a run, of which it is the last.
        wanted: where runs of this name go.

    Raises:
        SnapshotError: there is none.
        LeavenError: there is no such run yet.
    """
    if what not in _WORDS:
        return find_snapshot(what, Path(what))
    return find_snapshot(what, _newest_run(wanted))


def comparison(snapshot: Snapshot, now: Mapping[str, Any], done: list[str], ignored: Mapping[str, str]) -> list[str]:
    """Return lines that say what was resumed, what the configuration overrides, and what was ignored.

    Args:
        snapshot: what was resumed from.
        now: the resolved configuration.
        done: names of the parts that were put back.
        ignored: names of the others, and why.
    """
    about = snapshot.about
    place = f"{about['epoch']} epochs, {about['iteration']} iterations"
    lines = [f"resumed     {place}: {', '.join(done)}"]
    lines += [f"overridden  {change}" for change in _changes(about.get("config", {}), now)]
    lines += [f"ignored     {name}: {reason}" for name, reason in ignored.items()]
    return lines


def _newest_run(wanted: Path) -> Path:
    pattern = re.compile(rf"{re.escape(wanted.name)}(?:-(\d+))?")
    runs = {}
    for path in wanted.parent.glob(f"{wanted.name}*"):
        match = pattern.fullmatch(path.name)
        if match and (path / "snapshots").is_dir():
            runs[int(match[1] or 1)] = path
    if not runs:
        raise LeavenError(f"nothing to resume: no run with snapshots at {wanted}; name the path of one")
    return runs[max(runs)]


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = dict(_flat(before)), dict(_flat(now))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key) and key not in _LEFT_OUT:
            yield f"{key}: {_text(old, key)} -> {_text(new, key)}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(part, Mapping) for part in value):
        for place, part in enumerate(value):
            yield from _flat(part, f"{path}.{place}")
    else:
        yield path, list(value) if isinstance(value, tuple) else value


def _text(table: Mapping[str, Any], key: str) -> str:
    return repr(table[key]) if key in table else "unset"
