"""The mean of the weights of several snapshots.

P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018;
M. Wortsman et al., "Model soups", ICML 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from leaven.errors import listing
from leaven_plugins.snapshots.errors import WeightsError
from leaven_plugins.snapshots.files import Snapshot, load_snapshot, save_snapshot
from leaven_plugins.snapshots.weights import bare_names, weights_in


def average_snapshots(paths: Sequence[Path], out: Path, alone: bool = False, averaged: bool = True) -> int:
    """Write a snapshot with the mean of the weights of ``paths``; return how many numbers it has.

    Args:
        paths: snapshots of the same network; what is no weight is that of the last one.
        out: where the new one goes.
        alone: leave out everything but the weights.
        averaged: where a run kept an average of its weights, take that.

    Raises:
        WeightsError: they are not of the same network.
        SnapshotError: one cannot be read, or the new one cannot be written.
    """
    mean = _Mean()
    for path in paths:  # one after the other, so that two of them are in memory at a time
        last = load_snapshot(path)
        mean.add(path, weights_in(last.parts, averaged))
    model = mean.result()
    rest = {} if alone else {name: part for name, part in last.parts.items() if name not in ("model", "average")}
    save_snapshot(out, Snapshot({"model": model, **rest}, {**_kept(last.about, alone), "average_of": list(paths)}))
    return sum(tensor.numel() for tensor in model.values() if isinstance(tensor, Tensor))


def _kept(about: Mapping[str, Any], alone: bool) -> dict[str, Any]:
    """Return what holds of the mean as well; what was measured does not. ``config`` is what networks are built from."""
    if alone:
        return {name: about[name] for name in ("config", "versions") if name in about}
    return {name: value for name, value in about.items() if name not in ("values", "best_by")}


class _Mean:
    """A running sum of state dicts."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._last: dict[str, Any] = {}
        self._count = 0
        self._first = Path()

    def add(self, path: Path, state: Mapping[str, Any]) -> None:
        """Add a state dict."""
        named = {name: state[full] for name, full in bare_names(state).items()}
        if not self._count:
            self._first = path
        else:
            self._check(path, named)
        for name, value in named.items():
            if _is_averaged(value):
                wide = value.to(torch.complex128 if value.is_complex() else torch.float64)
                self._sums[name] = self._sums[name] + wide if self._count else wide
        self._last = named
        self._count += 1

    def result(self) -> dict[str, Any]:
        """Return the mean, in the dtypes of the last one added."""
        means = {name: (total / self._count).to(self._last[name].dtype) for name, total in self._sums.items()}
        return {name: means.get(name, value) for name, value in self._last.items()}

    def _check(self, path: Path, state: Mapping[str, Any]) -> None:
        different = sorted(self._last.keys() ^ state.keys())
        if different:
            raise WeightsError(f"{path} and {self._first} are of different networks: only one has {listing(different)}")
        for name, value in state.items():
            before, now = _form(self._last[name]), _form(value)
            if before != now:
                raise WeightsError(f"{path}: {name} is {now}, and {before} in {self._first}")


def _is_averaged(value: Any) -> bool:
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())


def _form(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return f"{tuple(value.shape)} of {'floats' if _is_averaged(value) else value.dtype}"
