"""Sums: metrics whose values are made of sums over everything that was seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError, listing
from leaven.protocols import Metric


class SumMetric(ABC):
    """What metrics of sums have in common; a subclass is a dataclass of its parameters with ``eq=False``.

    Sums stay on the device of the batches, and are fetched by :meth:`compute` and :meth:`state_dict` alone.
    """

    _sums: dict[str, Any]  # of Tensor | int; a name is missing until something was added

    def __post_init__(self) -> None:
        self.reset()

    @abstractmethod
    def zeros(self) -> dict[str, Tensor]:
        """Return all sums of nothing, in their shapes and dtypes, on the CPU."""

    @abstractmethod
    def terms(self, sample: Mapping[str, Any]) -> Mapping[str, Tensor | int]:
        """Return what a batch adds to each sum, without waiting for its device."""

    @abstractmethod
    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the metric's values of sums on the CPU."""

    def update(self, sample: Mapping[str, Any]) -> None:
        """Add one batch. Nothing waits for the device before :meth:`compute`.

        Raises:
            LeavenError: tensors of shapes or dtypes that do not go together.
        """
        with torch.no_grad():
            terms = self.terms(sample)
            self._sums |= {name: _added(self._sums.get(name), term) for name, term in terms.items()}

    def compute(self) -> dict[str, float]:
        """Return the values over everything since :meth:`reset`; NaN where nothing was seen."""
        return self.values(self._fetched())

    def reset(self) -> None:
        """Forget everything."""
        self._sums = {}

    def merge(self, other: Metric) -> None:
        """Take in what another metric of the same kind and parameters has seen.

        Raises:
            ParameterError: it is of another kind, or has other parameters.
        """
        if not isinstance(other, SumMetric) or _identity(other) != _identity(self):
            raise ParameterError(f"{self!r} cannot be merged with {other!r}")
        theirs = other._fetched()
        self._sums = {name: mine + theirs[name] for name, mine in self._fetched().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the sums, as tensors on the CPU."""
        return dict(self._fetched())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the sums of :meth:`state_dict`.

        Raises:
            LeavenError: they are of another kind of metric, or of one with other parameters.
        """
        sums, zeros = {name: torch.as_tensor(value) for name, value in state.items()}, self.zeros()
        if _shapes(sums) != _shapes(zeros):
            raise LeavenError(
                f"{self!r} cannot go on from a state of {listing(_shapes(sums))}: expected {listing(_shapes(zeros))}"
            )
        self._sums = {name: sums[name].to(zero.dtype) for name, zero in zeros.items()}

    def _fetched(self) -> dict[str, Tensor]:
        zeros = self.zeros()
        return {name: torch.as_tensor(self._sums.get(name, zero)).to(zero) for name, zero in zeros.items()}


class RowMean(SumMetric):
    """The mean of a value of each row; each row counts the same, however batches were cut."""

    metric_key: str

    @abstractmethod
    def per_row(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the value of each row, ``(rows,)``."""

    def from_mean(self, mean: float) -> float:
        """Return the metric's value of the mean over all rows."""
        return mean

    def zeros(self) -> dict[str, Tensor]:  # noqa: D102
        return {"total": torch.zeros((), dtype=torch.float64), "rows": torch.zeros((), dtype=torch.int64)}

    def terms(self, sample: Mapping[str, Any]) -> Mapping[str, Tensor | int]:  # noqa: D102
        rows = self.per_row(sample)
        return {"total": precise(rows).sum(), "rows": len(rows)}

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: D102
        return {self.metric_key: self.from_mean(float(sums["total"] / sums["rows"]))}


def precise(values: Tensor) -> Tensor:
    """Return values as float64, or as float32 on a device that has no float64."""
    return values.float() if values.device.type == "mps" else values.double()


def row_means(values: Tensor) -> Tensor:
    """Return the mean of each row of ``(rows, ...)``."""
    return precise(values).flatten(1).mean(1) if values.ndim > 1 else precise(values)


def _added(total: Any, term: Tensor | int) -> Any:
    if total is None:
        return term
    if isinstance(total, Tensor) and isinstance(term, Tensor):  # after a merge, sums are on the CPU
        total = total.to(term.device, term.dtype, non_blocking=True)
    return total + term


def _identity(metric: SumMetric) -> tuple[Any, ...]:
    return type(metric), {name: value for name, value in vars(metric).items() if not name.startswith("_")}


def _shapes(sums: Mapping[str, Tensor]) -> list[str]:
    return sorted(f"{name} {tuple(value.shape)}" for name, value in sums.items())
