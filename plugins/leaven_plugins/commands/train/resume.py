"""Going on from a snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leaven.errors import LeavenError
from leaven_plugins.trainers.standard.snapshots import Snapshot, latest_snapshot, load_snapshot


def snapshot_at(path: Path) -> Snapshot:
    """Return the snapshot in ``path``: its own folder, or that of a run, of which the last one is taken.

    Raises:
        SnapshotError: there is none, or it is damaged.
    """
    return load_snapshot(latest_snapshot(path / "snapshots") if (path / "snapshots").is_dir() else path)


def put_back(snapshot: Snapshot, network: Any, optimizer: Any) -> int:
    """Put weights and the optimizer's state back; return how many epochs were done.

    Raises:
        LeavenError: they belong to another network.
    """
    try:
        network.load_state_dict(snapshot.model)
        optimizer.load_state_dict(snapshot.optimizer)
        return int(snapshot.trainer["epoch"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise LeavenError(f"the snapshot does not fit this experiment: {error}") from error
