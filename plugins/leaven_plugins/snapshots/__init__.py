"""Snapshots: the whole state of a run on disk.

What a loop of one's own needs can be imported from here; it comes from the modules of this package when it is asked
for, because they need torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaven_plugins.snapshots.capture import random_state as random_state
    from leaven_plugins.snapshots.capture import set_random_state as set_random_state
    from leaven_plugins.snapshots.errors import SnapshotError as SnapshotError
    from leaven_plugins.snapshots.errors import WeightsError as WeightsError
    from leaven_plugins.snapshots.files import Snapshot as Snapshot
    from leaven_plugins.snapshots.files import load_snapshot as load_snapshot
    from leaven_plugins.snapshots.files import save_snapshot as save_snapshot
    from leaven_plugins.snapshots.manifest import verify_snapshot as verify_snapshot
    from leaven_plugins.snapshots.own_loop import resume as resume
    from leaven_plugins.snapshots.own_loop import save as save
    from leaven_plugins.snapshots.safetensors import export_weights as export_weights
    from leaven_plugins.snapshots.safetensors import import_weights as import_weights
    from leaven_plugins.snapshots.shelf import Shelf as Shelf
    from leaven_plugins.snapshots.shelf import find_snapshot as find_snapshot
    from leaven_plugins.snapshots.weights import load_weights as load_weights
    from leaven_plugins.snapshots.weights import save_scope as save_scope

_HOMES = {
    "capture": ("random_state", "set_random_state"),
    "errors": ("SnapshotError", "WeightsError"),
    "files": ("Snapshot", "load_snapshot", "save_snapshot"),
    "manifest": ("verify_snapshot",),
    "own_loop": ("resume", "save"),
    "safetensors": ("export_weights", "import_weights"),
    "shelf": ("Shelf", "find_snapshot"),
    "weights": ("load_weights", "save_scope"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
