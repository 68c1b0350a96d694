"""Factory: what all optimizers of torch's kind have in common, as components."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import Any, ClassVar, NamedTuple

import torch

from leaven.errors import ParameterError, listing, suggestion
from leaven_plugins.optimizers.groups import Sorting, grouped


class Rule(NamedTuple):
    """What a value of an optimizer has to be."""

    holds: Callable[[Any], bool]
    text: str


def _pair(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda values: len(values) == 2 and all(map(holds, values))


_ABOVE_0 = Rule(lambda value: 0 < value < inf, "must be above 0")
_NOT_BELOW_0 = Rule(lambda value: 0 <= value < inf, "must not be below 0")
_DECAY = Rule(lambda value: 0 <= value < 1, "must be from 0 to below 1")

RULES: Mapping[str, Rule] = {
    "lr": _ABOVE_0,
    "eps": _NOT_BELOW_0,
    "weight_decay": _NOT_BELOW_0,
    "momentum": _NOT_BELOW_0,
    "momentum_decay": _NOT_BELOW_0,
    "lr_decay": _NOT_BELOW_0,
    "initial_accumulator_value": _NOT_BELOW_0,
    "lambd": _NOT_BELOW_0,
    "t0": _NOT_BELOW_0,
    "d": _ABOVE_0,
    "alpha": Rule(lambda value: 0 <= value <= 1, "must be within 0 and 1"),
    "rho": Rule(lambda value: 0 <= value <= 1, "must be within 0 and 1"),
    "layer_decay": Rule(lambda value: 0 < value <= 1, "must be above 0, and at most 1"),
    "beta2_decay": Rule(lambda value: value <= 0, "must not be above 0"),
    "betas": Rule(_pair(_DECAY.holds), "must be two numbers from 0 to below 1"),
    "etas": Rule(lambda v: len(v) == 2 and 0 < v[0] < 1 < v[1], "must be two numbers, below 1 and above 1"),
    "step_sizes": Rule(lambda v: len(v) == 2 and 0 < v[0] <= v[1], "must be two numbers, the least and the largest"),
}
"""By name, for all optimizers alike."""


@dataclass(frozen=True, kw_only=True)
class Factory:
    """The base of the factories: a frozen dataclass, whose fields are named as the arguments of what it makes.

    Args:
        groups: parameter groups with values of their own: tables with ``match``, a pattern of weights' names as in file
            names, and values, as in ``{"match": "encoder.*", "lr": 1e-4}``. The first one that matches counts.
        layer_decay: the learning rate of each layer, by that of the next one; the last has the full rate. Above 0, at
            most 1.
        no_decay: no weight decay for vectors, which are biases and what norms have.

    Raises:
        ParameterError: a value is out of range, or a group has a value that is not known.
    """

    makes: ClassVar[Callable[..., torch.optim.Optimizer]]

    groups: Sequence[Mapping[str, Any]] = ()
    layer_decay: float = 1.0
    no_decay: bool = False

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        _check(values, str(self))
        own = self._own()
        for number, table in enumerate(self.groups):
            _check_group(table, own, f"{self}: groups.{number}")
        if self.no_decay and "weight_decay" not in own:
            raise ParameterError(f"{self}: no_decay=True: it has no weight_decay that could be left away")

    def __call__(self, parameters: Iterable[Any]) -> torch.optim.Optimizer:
        """Return the optimizer over ``parameters``.

        Args:
            parameters: tensors, pairs ``(name, tensor)``, or torch's parameter groups. Where weights are to be sorted
                into groups, pairs are needed: ``network.named_parameters()``.

        Raises:
            ParameterError: there are none, names are missing, or a group's pattern matches none of them.
        """
        own = self._own()
        sorting = Sorting(self.groups, self.layer_decay, self.no_decay, own["lr"])
        return type(self).makes(grouped(parameters, sorting), **own)

    def _own(self) -> dict[str, Any]:
        """Return the arguments of what is made."""
        names = [field.name for field in fields(self) if field.name not in _SHARED]
        return {name: _as_tuple(getattr(self, name)) for name in names}


_SHARED = tuple(field.name for field in fields(Factory))


def _check(values: Mapping[str, Any], label: str) -> None:
    for name, value in values.items():
        if name in RULES and not RULES[name].holds(value):
            raise ParameterError(f"{label}: {name}={value}: {RULES[name].text}")


def _check_group(table: Mapping[str, Any], own: Mapping[str, Any], label: str) -> None:
    if not isinstance(table.get("match"), str):
        raise ParameterError(f"{label}: {dict(table)} needs 'match', a pattern of weights' names such as 'encoder.*'")
    for name in table:
        if name != "match" and name not in own:
            raise ParameterError(f"{label}: no value {name!r}{suggestion(name, own)}; there are: {listing(own)}")
    _check(table, label)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
