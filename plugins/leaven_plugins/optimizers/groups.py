"""Groups: weights sorted into parameter groups by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from torch import Tensor

from leaven.errors import ParameterError, listing, suggestion


class Sorting(NamedTuple):
    """How weights are to be sorted.

    ``rules`` are tables with ``match``, a pattern of names, and values for what it matches; ``layer_decay`` is what the
    learning rate of a layer is, by the one of the next; with ``no_decay``, vectors have no weight decay; ``lr`` is the
    learning rate where no rule gives one.
    """

    rules: Sequence[Mapping[str, Any]]
    layer_decay: float
    no_decay: bool
    lr: float

    @property
    def is_trivial(self) -> bool:
        """Whether all weights go into one group."""
        return not self.rules and self.layer_decay == 1 and not self.no_decay


def grouped(parameters: Iterable[Any], sorting: Sorting) -> list[Any]:
    """Return what torch's optimizers take: tensors, or groups with values of their own.

    Args:
        parameters: tensors, pairs ``(name, tensor)`` as ``network.named_parameters()`` has them, or torch's groups.
        sorting: how to sort them; a pattern matches as in file names (``"encoder.*"``), and the first rule that matches
            a name counts. Groups come in the order of their first weights.

    Raises:
        ParameterError: there are no weights, they have no names but need some, or a rule matches nothing.
    """
    given = list(parameters)
    if not given:
        raise ParameterError("there are no weights to optimize")
    if all(isinstance(entry, tuple) for entry in given):
        named = _named(given)
        return list(named.values()) if sorting.is_trivial else _sorted(named, sorting)
    if not sorting.is_trivial:
        raise ParameterError(
            "groups, layer_decay and no_decay go by the names of weights: pass network.named_parameters()"
        )
    return [_without_names(entry) for entry in given]


def layers_of(named: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the number of each weight's layer, counted from 0 in the order of the weights.

    A layer is an entry of a numbered module (``blocks.3``), outside of these a module that has weights of its own. What
    has vectors only, such as a norm, belongs to the layer before.
    """
    matrices = {_place(name) for name, weight in named.items() if weight.ndim > 1}
    numbers: dict[str, int] = {}
    last = -1
    for place in dict.fromkeys(map(_place, named)):
        last = max(last + (place in matrices), 0)
        numbers[place] = last
    return {name: numbers[_place(name)] for name in named}


def _named(pairs: Sequence[tuple[str, Tensor]]) -> dict[str, Tensor]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        raise ParameterError(f"two weights have the name {next(name for name in names if names.count(name) > 1)!r}")
    return named


def _sorted(named: Mapping[str, Tensor], sorting: Sorting) -> list[dict[str, Any]]:
    chosen = {name: _rule_for(name, sorting.rules) for name in named}
    _check_rules(sorting.rules, chosen)
    layers = layers_of(named)
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for name, weight in named.items():
        values = _values(sorting, chosen[name], is_vector=weight.ndim < 2, above=max(layers.values()) - layers[name])
        key = chosen[name], *sorted((option, str(value)) for option, value in values.items())
        groups.setdefault(key, {"params": [], **values})["params"].append(weight)
    return list(groups.values())


def _values(sorting: Sorting, rule: int | None, *, is_vector: bool, above: int) -> dict[str, Any]:
    """Return the values of a weight's group; ``above`` is how many layers come after its own."""
    values = {} if rule is None else {key: value for key, value in sorting.rules[rule].items() if key != "match"}
    if sorting.no_decay and is_vector:
        values.setdefault("weight_decay", 0.0)
    if sorting.layer_decay != 1:
        values["lr"] = values.get("lr", sorting.lr) * sorting.layer_decay**above
    return values


def _rule_for(name: str, rules: Sequence[Mapping[str, Any]]) -> int | None:
    return next((number for number, rule in enumerate(rules) if fnmatchcase(name, rule["match"])), None)


def _check_rules(rules: Sequence[Mapping[str, Any]], chosen: Mapping[str, int | None]) -> None:
    for number, rule in enumerate(rules):
        if number in chosen.values():
            continue
        if any(fnmatchcase(name, rule["match"]) for name in chosen):
            raise ParameterError(f"groups.{number}: all that {rule['match']!r} matches is in a group above it")
        advice = suggestion(rule["match"], chosen)
        raise ParameterError(
            f"groups.{number}: no weight has a name like {rule['match']!r}{advice}; there are: {listing(chosen)}"
        )


def _place(name: str) -> str:
    """Return the name of the layer, as text, that a weight of this name is in."""
    parts = name.split(".")[:-1]
    number = next((place for place, part in enumerate(parts) if part.isdecimal()), len(parts) - 1)
    return ".".join(parts[: number + 1])


def _without_names(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    inner = entry["params"]
    weights = [inner] if isinstance(inner, Tensor) else list(inner)
    return {**entry, "params": [part[1] if isinstance(part, tuple) else part for part in weights]}
