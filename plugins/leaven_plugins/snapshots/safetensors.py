"""Weights as a safetensors file, which other programs read. It needs ``leaven[export]``.

The format keeps each tensor once, and by one name. The other names of shared ones are kept in the file's metadata, and
are there again when the file is read here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch

from leaven.errors import MissingPackageError
from leaven_plugins.snapshots.errors import SnapshotError
from leaven_plugins.snapshots.placing import file_in_place
from leaven_plugins.snapshots.plain import place_of, portable

_TIED = "leaven.tied"


def export_weights(
    path: str | os.PathLike[str], state: Mapping[str, Any], about: Mapping[str, str] | None = None
) -> Path:
    """Write weights to a safetensors file; one that is there is replaced once the new one is complete.

    Args:
        path: the file.
        state: name -> tensor.
        about: text for the file's metadata.

    Raises:
        SnapshotError: something else than tensors is among them, or the file cannot be written.
        MissingPackageError: safetensors is not installed.
    """
    save_file = _library().save_file
    kept, tied = _without_ties(portable(dict(state), "weights"))
    metadata = {"format": "pt", **(about or {}), **({_TIED: json.dumps(tied)} if tied else {})}
    try:
        with file_in_place(Path(path)) as temporary:
            save_file(kept, temporary, metadata)
    except Exception as error:  # the library has errors of its own, and not all of them are exported
        raise SnapshotError(f"{path}: cannot be written: {error}") from error
    return Path(path)


def import_weights(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """Read weights from a safetensors file; tensors that were shared when they were exported are so again.

    Raises:
        SnapshotError: it cannot be read, or is no such file.
        MissingPackageError: safetensors is not installed.
    """
    library = _library()
    try:
        with library.safe_open(path, framework="pt") as file:
            tied = json.loads((file.metadata() or {}).get(_TIED, "{}"))
            # the file is no dict, and cannot be iterated over
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return {**state, **{name: state[first] for name, first in tied.items()}}
    except Exception as error:  # as above
        raise SnapshotError(f"{path}: cannot be read as safetensors: {error}") from error


def _without_ties(state: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return each tensor once, and name -> first name of the others."""
    first: dict[Hashable, str] = {}
    storages: set[int] = set()
    kept, tied = {}, {}
    for name, tensor in state.items():
        if not isinstance(tensor, torch.Tensor) or tensor.layout is not torch.strided:
            raise SnapshotError(
                f"weights.{name}: a {type(tensor).__name__}: a safetensors file holds dense tensors only"
            )
        if first.setdefault(place_of(tensor), name) == name:
            storage = tensor.untyped_storage().data_ptr()
            kept[name] = tensor.clone() if storage in storages else tensor.contiguous()
            storages.add(storage)
        else:
            tied[name] = first[place_of(tensor)]
    return kept, tied


def _library() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        advice = "to install it: pip install 'leaven[export]'"
        raise MissingPackageError(f"safetensors is not installed; {advice}", name="safetensors") from error
    return safetensors.torch
