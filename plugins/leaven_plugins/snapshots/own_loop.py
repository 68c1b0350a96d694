"""Snapshots for a loop of one's own: two functions, ``save`` and ``resume``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from leaven.errors import ParameterError, listing
from leaven_plugins.snapshots.errors import SnapshotError
from leaven_plugins.snapshots.files import Snapshot, load_snapshot, remove_snapshot, save_snapshot
from leaven_plugins.snapshots.manifest import MANIFEST, read_about, read_manifest, verify_snapshot
from leaven_plugins.snapshots.placing import is_left
from leaven_plugins.snapshots.weights import load_weights, save_scope

Optimizers = Any  # anything with state_dict and load_state_dict, or a dict of these by names


def save(
    path: str | os.PathLike[str],
    iteration: int,
    model: nn.Module,
    optimizer: Optimizers = None,
    *,
    scope: str = "",
    keep: int | None = None,
    **extra: Any,
) -> Path:
    """Write a snapshot to the folder ``path``; where ``torch.distributed`` runs, in its first process only.

    Args:
        path: a folder of its own for each snapshot, such as ``"snapshots/step_0100"``.
        iteration: how many iterations were done; tells which of several snapshots is the newest.
        model: the network.
        optimizer: an optimizer, or several by names: ``{"generator": ..., "critic": ...}``. Anything with
            ``state_dict()`` and ``load_state_dict()`` will do.
        scope: save only the weights below this name, such as ``"encoder"``.
        keep: how many of the snapshots in the folder of ``path`` are kept, the newest; ``None`` for all. A folder
            in which something else lies as well is not deleted.
        extra: tensors and plain data to be kept, such as ``random=random_state()``.

    Returns:
        The snapshot's folder.

    Raises:
        SnapshotError: it cannot be written; what was there before is untouched.
        ParameterError: ``keep`` is below 1.
    """
    if keep is not None and keep < 1:
        raise ParameterError(f"save: keep={keep}: expected at least 1, or None for all")
    if not _is_first():
        return Path(path)
    parts: dict[str, Any] = {"model": save_scope(model, scope), "extra": extra}
    about = {"iteration": iteration, "scope": scope, "named_optimizers": isinstance(optimizer, Mapping)}
    if isinstance(optimizer, Mapping):
        parts["optimizer"] = {name: one.state_dict() for name, one in optimizer.items()}
    elif optimizer is not None:
        parts["optimizer"] = optimizer.state_dict()
    folder = save_snapshot(path, Snapshot(parts, about))
    if keep is not None:
        for old in _by_iteration(folder.parent)[:-keep]:
            if old != folder:
                remove_snapshot(old)
    return folder


def resume(
    path: str | os.PathLike[str],
    model: nn.Module | None = None,
    optimizer: Optimizers = None,
    scope: str = "",
    strict: bool = True,
) -> dict[str, Any]:
    """Put what :func:`save` wrote back into ``model`` and ``optimizer``, as far as they are given.

    Args:
        path: a snapshot's folder, or a folder of snapshots, of which the newest is taken that is whole.
        model: where the weights go.
        optimizer: as for :func:`save`; several need not be all that were saved.
        scope: take only the weights below this name; others of ``model`` are left alone.
        strict: raise an error unless all weights fit. Otherwise those that fit are loaded.

    Returns:
        The rest: ``iteration``, and what else was given to :func:`save`.

    Raises:
        SnapshotError: there is no snapshot, it is damaged, or it has nothing for one of the optimizers.
        WeightsError: the weights do not fit.
    """
    folder = Path(path) if (Path(path) / MANIFEST).is_file() else _newest(Path(path))
    has = read_manifest(folder).parts
    wanted = [*(["model"] if model is not None else []), *(["optimizer"] if optimizer is not None else []), "extra"]
    snapshot = load_snapshot(folder, [name for name in wanted if name == "model" or name in has])
    states = _states(folder, snapshot, optimizer)
    if model is not None:
        load_weights(model, snapshot.parts["model"], scope or snapshot.about.get("scope", ""), strict)
    for name, state in states.items():
        _put_back(folder, _by_name(optimizer)[name], state)
    return {"iteration": snapshot.about.get("iteration", 0), **snapshot.parts.get("extra", {})}


def _put_back(folder: Path, optimizer: Any, state: Any) -> None:
    try:
        optimizer.load_state_dict(state)
    except ValueError as error:
        raise SnapshotError(f"{folder}: the state does not fit the optimizer: {error}") from error


def _by_name(optimizer: Optimizers) -> dict[str, Any]:
    return dict(optimizer) if isinstance(optimizer, Mapping) else {"": optimizer}


def _states(folder: Path, snapshot: Snapshot, optimizer: Optimizers) -> dict[str, Any]:
    """Return the state for each optimizer that was given."""
    if optimizer is None:
        return {}
    part = snapshot.parts.get("optimizer")
    named = snapshot.about.get("named_optimizers", False)
    saved = part if named and part else {"": part} if part is not None else {}
    missing = [name for name in _by_name(optimizer) if name not in saved]
    if missing:
        asked = f"optimizers named {listing(missing)}" if missing != [""] else "one optimizer without a name"
        have = listing(name or "one without a name" for name in saved)
        raise SnapshotError(f"{folder}: no state for {asked}; the snapshot has: {have}")
    return {name: saved[name] for name in _by_name(optimizer)}


def _newest(parent: Path) -> Path:
    problems = []
    for folder in reversed(_by_iteration(parent)):
        try:
            verify_snapshot(folder)
        except SnapshotError as error:
            problems.append(str(error))
        else:
            return folder
    raise SnapshotError(
        "; ".join([f"{parent}: neither a snapshot nor a folder of snapshots that are whole", *problems])
    )


def _by_iteration(parent: Path) -> list[Path]:
    """Return the snapshots in a folder that seem to be whole, the oldest first."""
    found = {}
    for manifest in parent.glob(f"*/{MANIFEST}"):
        if is_left(manifest.parent):
            continue
        try:
            about = read_about(manifest.parent)
        except SnapshotError:
            continue
        found[manifest.parent] = (about.get("iteration", 0), manifest.parent.name)
    return sorted(found, key=found.__getitem__)


def _is_first() -> bool:
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return not distributed or torch.distributed.get_rank() == 0
