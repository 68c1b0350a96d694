"""The state of the generators that everybody shares, as tensors and plain data, and back."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from leaven_plugins.snapshots.errors import SnapshotError


def random_state() -> dict[str, Any]:
    """Return the states of ``random``, of numpy's and of torch's global generators, those of CUDA where it is in use.

    A loader needs none of them; what draws in the network (dropout) or in a loop of one's own does.
    """
    return {
        "python": random.getstate(),
        "numpy": _without_arrays(np.random.get_state(legacy=False)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],  # type: ignore[no-untyped-call]
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Put the states of :func:`random_state` back; those of CUDA devices for as many as there are here.

    Raises:
        SnapshotError: it is no such state.
    """
    try:
        torch.set_rng_state(state["torch"])
        np.random.set_state(state["numpy"])
        version, words, gauss = state["python"]
        random.setstate((version, tuple(words), gauss))  # which may have become lists on their way
        devices = torch.cuda.device_count() if state["cuda"] else 0
        for device, own in enumerate(state["cuda"][:devices]):
            torch.cuda.set_rng_state(own, device)
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise SnapshotError(f"this is no state of random generators: {error}") from error


def _without_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_arrays(part) for key, part in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value
