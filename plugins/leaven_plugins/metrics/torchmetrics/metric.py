"""TorchMetric: a metric of the package torchmetrics."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.utilities import dim_zero_cat, dim_zero_mean

from leaven.errors import LeavenError, ParameterError, UnknownName, suggestion
from leaven.protocols import Metric
from leaven_plugins.losses.cross_entropy.labels import labels_for

PREPARATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda output: output,
    "argmax": lambda output: output.argmax(1),
    "softmax": lambda output: output.softmax(1),
    "sigmoid": torch.sigmoid,
}


class TorchMetric:
    """A metric of torchmetrics, with the sample dict's output as ``preds`` and its label as ``target``.

    A value that is a number is called ``metric_key``, a vector's are ``{metric_key}_0`` and so on, those of a dict
    ``{metric_key}_{name}``.

    Most metrics of torchmetrics look at the values that they are given, which waits for a CUDA device at each batch;
    ``validate_args = false`` among the ``params`` makes those of classification leave that. Processes are brought
    together by merging, not by torchmetrics: its ``sync_on_compute`` is off.

    Args:
        name: of a class in ``torchmetrics``, such as ``"Accuracy"``, or ``"torchmetrics.image:SpectralAngleMapper"``.
        params: its parameters.
        output_key: key of the output.
        target_key: key of the target; class numbers are given in the shape that the output asks for, ``(rows,)``, even
            where they are ``(rows, 1)``.
        prepare: what is done to the output first: ``"none"``, ``"argmax"``, ``"softmax"`` (both over the classes),
            ``"sigmoid"``.
        metric_key: what to call the value; the lower-case name, unless given.

    Raises:
        UnknownName: there is no such class.
        ParameterError: it is not a metric, does not take these parameters, or is made of other metrics; ``prepare`` is
            none of these.
    """

    def __init__(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        output_key: str = "output",
        target_key: str = "label",
        prepare: str = "none",
        metric_key: str | None = None,
    ) -> None:
        if prepare not in PREPARATIONS:
            raise ParameterError(f"prepare {prepare!r}: expected {', '.join(PREPARATIONS)}")
        self.name = name
        self.params = dict(params or {})
        self.output_key = output_key
        self.target_key = target_key
        self.prepare = prepare
        self.metric_key = name.rpartition(":")[2].lower() if metric_key is None else metric_key
        self._metric = _made(name, self.params)

    def update(self, sample: Mapping[str, Any]) -> None:
        """Hand one batch to the metric.

        Raises:
            LeavenError: labels that do not fit the output.
        """
        output = sample[self.output_key].detach()
        target = _fitted(output, torch.as_tensor(sample[self.target_key]), self.target_key)
        if self._metric.device != output.device:
            self._metric.to(output.device)
        self._metric.update(PREPARATIONS[self.prepare](output), target)

    def compute(self) -> dict[str, float]:
        """Return the metric's values; NaN where nothing was seen.

        Raises:
            LeavenError: its value is a matrix, a list or the like.
        """
        if not self._metric.update_count:
            return {self.metric_key: float("nan")}
        return _numbers(self.metric_key, self._metric.compute(), self.name)

    def reset(self) -> None:
        """Forget everything."""
        self._metric.reset()

    def merge(self, other: Metric) -> None:
        """Take in what another metric of the same name and parameters has seen.

        Raises:
            ParameterError: it is another metric, or one that torchmetrics has no rule for.
        """
        if not isinstance(other, TorchMetric) or other._identity != self._identity:
            raise ParameterError(f"torchmetrics: {self.name} cannot be merged with {other!r}")
        counts = (self._metric.update_count, other._metric.update_count)
        theirs = other._metric.metric_state
        merged = {
            name: self._merged(name, mine, _on(theirs[name], self._metric.device), counts)
            for name, mine in self._metric.metric_state.items()
        }
        self._go_on(merged, sum(counts))

    def state_dict(self) -> dict[str, Any]:
        """Return the metric's state, as tensors on the CPU and lists of these, and ``update_count``."""
        states = {name: _on(value, torch.device("cpu")) for name, value in self._metric.metric_state.items()}
        return {"update_count": self._metric.update_count, **states}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from :meth:`state_dict`.

        Raises:
            LeavenError: it is the state of another metric.
        """
        expected = {"update_count", *self._metric.metric_state}
        if set(state) != expected:
            raise LeavenError(
                f"torchmetrics: {self.name} cannot go on from a state of {', '.join(sorted(state)) or 'nothing'}: "
                f"expected {', '.join(sorted(expected))}"
            )
        states = {name: _on(state[name], self._metric.device) for name in self._metric.metric_state}
        self._go_on(states, int(state["update_count"]))

    @property
    def _identity(self) -> tuple[Any, ...]:
        return (self.name, self.params, self.output_key, self.target_key, self.prepare, self.metric_key)

    def _merged(self, name: str, mine: Any, theirs: Any, counts: tuple[int, int]) -> Any:
        reduction: Any = self._metric._reductions[name]  # the rule for states of several processes is not public
        if isinstance(mine, list):
            return [*mine, *theirs]
        if reduction is None:
            raise ParameterError(f"torchmetrics: {self.name} cannot be merged: it has no rule for its state {name!r}")
        if reduction is dim_zero_cat:
            return torch.cat([part if part.ndim else part[None] for part in (mine, theirs)])
        if reduction is dim_zero_mean:
            return (counts[0] * mine + counts[1] * theirs) / max(1, sum(counts))
        return reduction(torch.stack([mine, theirs]))

    def _go_on(self, states: Mapping[str, Any], updates: int) -> None:
        self._metric.reset()  # drops a cached value
        for name, value in states.items():
            setattr(self._metric, name, value)
        self._metric._update_count = updates


def _made(name: str, params: Mapping[str, Any]) -> torchmetrics.Metric:
    kind = _found(name)
    if not (isinstance(kind, type) and issubclass(kind, torchmetrics.Metric)):
        raise ParameterError(f"torchmetrics: {name} is not a torchmetrics.Metric")
    try:
        metric = kind(**{"sync_on_compute": False, **params})
    except (TypeError, ValueError) as error:
        raise ParameterError(f"torchmetrics: {name}: {error}") from error
    if any(isinstance(part, torchmetrics.Metric) for part in metric.modules() if part is not metric):
        raise ParameterError(f"torchmetrics: {name} is made of other metrics; name these by themselves")
    return metric


def _found(name: str) -> Any:
    module_name, _, attribute = name.rpartition(":")
    try:
        module = importlib.import_module(module_name or "torchmetrics")
        return getattr(module, attribute)
    except ImportError as error:
        raise UnknownName(f"torchmetrics: {name}: there is no module {module_name!r}") from error
    except AttributeError as error:
        hint = suggestion(attribute, vars(module))
        raise UnknownName(f"torchmetrics: {module.__name__} has no metric {attribute!r}{hint}") from error


def _fitted(output: Tensor, target: Tensor, target_key: str) -> Tensor:
    if target.is_floating_point() or target.shape == output.shape:
        return target.to(output.device)
    return labels_for(output, target, target_key)


def _on(value: Any, device: torch.device) -> Any:
    """Return a tensor, or a list of them, on the device, and with memory of its own."""
    if isinstance(value, list):
        return [_on(part, device) for part in value]
    return value.detach().to(device, copy=True) if isinstance(value, Tensor) else value


def _numbers(key: str, value: Any, name: str) -> dict[str, float]:
    if isinstance(value, Mapping):
        return {k: v for part in value for k, v in _numbers(f"{key}_{part}", value[part], name).items()}
    found = torch.as_tensor(value)
    if found.numel() == 1:
        return {key: float(found)}
    if found.ndim == 1:
        return {f"{key}_{number}": float(entry) for number, entry in enumerate(found)}
    raise LeavenError(f"torchmetrics: {name} gives a value of shape {tuple(found.shape)}: expected numbers")
