"""What a snapshot is, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from leaven.cli.output import table
from leaven_plugins.commands.data.report import size_text
from leaven_plugins.snapshots.errors import SnapshotError
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.snapshots.manifest import MANIFEST, Manifest, read_manifest, verify_snapshot
from leaven_plugins.snapshots.plain import place_of, tensors_in


def describe(path: Path) -> dict[str, Any]:
    """Return what is known of a snapshot, of a damaged one as much as can be read.

    Raises:
        SnapshotError: there is no manifest that can be read.
    """
    manifest = read_manifest(path)
    about = _about(path)
    own = _table(_table(about.get("config")).get("leaven"))
    return {
        "path": path,
        "format": manifest.format,
        "problem": problem_of(path),
        **{name: about.get(name) for name in ("epoch", "iteration", "values")},
        "versions": _table(about.get("versions")),
        "plugins": own.get("plugins", []),
        "written": written(path),
        "bytes": size_of(manifest),
        "parts": [_part(path, manifest, name) for name in manifest.parts],
    }


def print_description(described: Mapping[str, Any], screen: Console) -> None:
    """Print it for people."""
    versions = ", ".join(f"{name} {version}" for name, version in described["versions"].items())
    lines = [
        ("snapshot", described["path"]),
        ("state", described["problem"] or "whole"),
        ("epoch", described["epoch"]),
        ("iteration", described["iteration"]),
        ("values", values_text(described["values"])),
        ("written", described["written"]),
        ("made by", versions),
        ("plugins", ", ".join(described["plugins"])),
        ("size", f"{size_text(described['bytes'])}, format {described['format']}"),
    ]
    for name, text in lines:
        if text not in (None, ""):
            screen.print(f"{name:<10}{text}", markup=False, soft_wrap=True)
    rows = [
        (part["name"], size_text(part["bytes"]), f"{part['tensors']:,}", f"{part['numbers']:,}")
        if part["tensors"] is not None
        else (part["name"], size_text(part["bytes"]), "cannot be read", "")
        for part in described["parts"]
    ]
    screen.print(table(("part", "size", "tensors", "numbers"), rows))


def values_text(values: Any) -> str:
    """Return measured values on one line, such as ``train loss 0.31, val loss 0.4 accuracy 0.91``."""
    if not isinstance(values, Mapping):
        return ""
    flat = [(name, value) for name, value in values.items() if not isinstance(value, Mapping)]
    own = [f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in flat]
    phases = [f"{name} {values_text(inner)}" for name, inner in values.items() if isinstance(inner, Mapping) and inner]
    return ", ".join([" ".join(own), *phases] if own else phases)


def problem_of(path: Path) -> str | None:
    """Return why a snapshot is not whole, all of its files read, or ``None``."""
    try:
        verify_snapshot(path)
    except SnapshotError as error:
        return str(error)
    return None


def written(path: Path) -> str:
    """Return when a snapshot was written, as its manifest's file has it: ``2024-05-17T11:02:05Z``."""
    moment = datetime.fromtimestamp((path / MANIFEST).stat().st_mtime, UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def size_of(manifest: Manifest) -> int:
    """Return how many bytes all files have that a manifest lists."""
    return sum(size for size, _ in manifest.files.values())


def _about(path: Path) -> dict[str, Any]:
    try:
        return dict(load_snapshot(path, only=[]).about)
    except SnapshotError:
        return {}


def _table(value: Any) -> Mapping[str, Any]:
    """Return a table of what a snapshot is of; an empty one where something else is in its place."""
    return value if isinstance(value, Mapping) else {}


def _part(path: Path, manifest: Manifest, name: str) -> dict[str, Any]:
    known = {"name": name, "bytes": manifest.files[f"{name}.pt"][0]}
    try:
        content = load_snapshot(path, only=[name]).parts[name]
    except SnapshotError:
        return {**known, "tensors": None, "numbers": None}
    found = list({place_of(tensor): tensor for tensor in tensors_in(content)}.values())
    return {**known, "tensors": len(found), "numbers": sum(tensor.numel() for tensor in found)}
