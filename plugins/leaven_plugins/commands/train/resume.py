"""Going on from a snapshot: which one is meant, and what of it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from leaven.errors import LeavenError
from leaven.registry.planning import naming_key
from leaven_plugins.snapshots.files import Snapshot
from leaven_plugins.snapshots.shelf import find_snapshot

_WORDS = ("last", "best")
_LEFT_OUT = {"leaven.plugins"}
_OF_THE_DATA = "loader.batch_size"
"""Counts for nothing where the data goes on at its place, which fits the size that it was made with."""


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


def put_back(trainer: Any, optimizer: Any, snapshot: Snapshot, now: Mapping[str, Any]) -> Any:
    """Put a snapshot back; return what ``trainer.restore`` returns.

    Where the configuration has another optimizer, that begins anew; where it has other values for the same one, those
    count, and what the optimizer remembers stays.

    Args:
        trainer: takes it.
        optimizer: the trainer's, as the configuration has made it.
        snapshot: what to go on from.
        now: the resolved configuration.
    """
    before = snapshot.about.get("config", {}).get("optimizer", now["optimizer"])
    if _name_of(before) != _name_of(now["optimizer"]):
        others = {name: part for name, part in snapshot.parts.items() if name != "optimizer"}
        found = trainer.restore(replace(snapshot, parts=others))
        found.ignored["optimizer"] = f"it is of {_name_of(before)}"
        return found
    configured = [dict(group) for group in optimizer.param_groups]
    found = trainer.restore(snapshot)
    if before != now["optimizer"]:
        for group, values in zip(optimizer.param_groups, configured, strict=True):
            _set_values(group, values)
    return found


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
    for key, before, after in _changes(about.get("config", {}), now):
        if key == _OF_THE_DATA and "data" in done:
            lines.append(f"ignored     {key}: {after}: batches stay as large as they were")
        else:
            lines.append(f"overridden  {key}: {before} -> {after}")
    lines += [f"ignored     {name}: {reason}" for name, reason in ignored.items()]
    return lines


def _name_of(table: Any) -> str:
    spec = table[naming_key(table)] if isinstance(table, Mapping) else table
    return str(spec).removeprefix("optimizer:")


def _set_values(group: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Give a parameter group its configured values; what validation has made of the rate, it makes of the new one."""
    share = group["base_lr"] / group["initial_lr"] if group.get("base_lr") else None
    group.update({name: value for name, value in values.items() if name != "params"})
    if share is not None:
        group["lr"] = group["base_lr"] = share * group["initial_lr"]


def _newest_run(wanted: Path) -> Path:
    pattern = re.compile(rf"{re.escape(wanted.name)}(?:-(\d+))?")
    runs = {}
    for path in wanted.parent.glob("*"):
        match = pattern.fullmatch(path.name)
        if match and (path / "snapshots").is_dir():
            runs[int(match[1] or 1)] = path
    if not runs:
        raise LeavenError(f"nothing to resume: no run with snapshots at {wanted}; name the path of one")
    return runs[max(runs)]


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    old, new = dict(_flat(before)), dict(_flat(now))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key) and key not in _LEFT_OUT:
            yield key, _text(old, key), _text(new, key)


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
