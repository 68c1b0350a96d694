"""Weights: from a module and back into one, all of them or those of a part of it.

Names are compared without what wrappers put before them: ``module.`` of data parallelism and averaging where all names
begin with it, and ``_orig_mod.`` of ``torch.compile``. So a snapshot of a wrapped network fits the bare one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import nn

from leaven.errors import listing, suggestion
from leaven_plugins.snapshots.errors import WeightsError as WeightsError

_MOST_SUGGESTIONS = 20  # each takes 14 ms among 500 names


@dataclass(frozen=True)
class Loaded:
    """What became of the weights, by their names without those of wrappers.

    Attributes:
        loaded: are in the module now.
        missing: are in the module, but were not given.
        unexpected: were given, but are not in the module.
        mismatched: are in both, with different shapes.
    """

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]


def load_weights(module: nn.Module, state: Mapping[str, Any], scope: str = "", strict: bool = True) -> Loaded:
    """Put weights into a module.

    Args:
        module: where they go; it is not changed if an error is raised.
        state: name -> tensor, as ``module.state_dict()`` has them.
        scope: take only those below this name, such as ``"encoder/layer1"`` or ``"encoder.layer1"``; on both sides all
            others are left alone.
        strict: raise an error unless all fit. Otherwise what fits is loaded.

    Raises:
        WeightsError: they do not fit (all are listed, with shapes and the nearest names), nothing is in the scope or,
            if not strict, nothing fits at all.
    """
    own_state = module.state_dict()
    names = _scoped_names(own_state, scope, "the module")
    own = {name: own_state[full] for name, full in names.items()}
    given = {name: state[full] for name, full in _scoped_names(state, scope, "what is to be loaded").items()}
    found = _compare(own, given)
    if strict and (found.missing or found.unexpected or found.mismatched):
        raise WeightsError("\n  ".join(["the weights do not fit the module", *_problems(found, own, given)]))
    if own and not found.loaded:
        raise WeightsError("\n  ".join(["none of the weights fits the module", *_problems(found, own, given)]))
    module.load_state_dict({names[name]: given[name] for name in found.loaded}, strict=False)
    return found


def save_scope(module: nn.Module, scope: str = "") -> dict[str, Any]:
    """Return a module's weights, those below the name ``scope`` only, by their names without those of wrappers.

    Raises:
        WeightsError: nothing is in the scope.
    """
    state = module.state_dict()
    return {name: state[full] for name, full in _scoped_names(state, scope, "the module").items()}


def weights_in(parts: Mapping[str, Any], averaged: bool = True) -> dict[str, Any]:
    """Return the network's weights from the parts of a snapshot; if ``averaged``, their average where there is one.

    Raises:
        WeightsError: the snapshot has no part ``model``.
    """
    if averaged and "average" in parts:
        return dict(parts["average"]["weights"])
    if "model" not in parts:
        raise WeightsError(f"the snapshot has no part 'model'; it has: {listing(parts)}")
    return dict(parts["model"])


def bare_names(names: Iterable[str]) -> dict[str, str]:
    """Return name without those of wrappers -> full name."""
    full = list(names)
    bare = [name.replace("_orig_mod.", "") for name in full]
    while bare and all(name.startswith("module.") for name in bare):
        bare = [name.removeprefix("module.") for name in bare]
    return dict(zip(bare, full, strict=True))


def _scoped_names(state: Mapping[str, Any], scope: str, owner: str) -> dict[str, str]:
    names = bare_names(state)
    wanted = scope.replace("/", ".").strip(".")
    if not wanted:
        return names
    found = {name: full for name, full in names.items() if name == wanted or name.startswith(f"{wanted}.")}
    if not found:
        scopes = {part for name in names for part in accumulate(name.split("."), "{}.{}".format)}
        near = suggestion(wanted, scopes)
        raise WeightsError(f"{owner} has nothing in the scope {scope!r}{near}; it has: {listing(scopes - set(names))}")
    return found


def _compare(own: Mapping[str, Any], given: Mapping[str, Any]) -> Loaded:
    common = [name for name in own if name in given]
    fitting = {name for name in common if _fits(own[name], given[name])}
    return Loaded(
        loaded=tuple(name for name in common if name in fitting),
        missing=tuple(name for name in own if name not in given),
        unexpected=tuple(name for name in given if name not in own),
        mismatched=tuple(name for name in common if name not in fitting),
    )


def _fits(own: Any, given: Any) -> bool:
    if not isinstance(own, torch.Tensor) or nn.parameter.is_lazy(own):
        return True  # what a module keeps besides tensors is its own concern; a lazy one has no shape yet
    return isinstance(given, torch.Tensor) and own.shape == given.shape


def _problems(found: Loaded, own: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    near = {name: suggestion(name, found.unexpected) for name in found.missing[:_MOST_SUGGESTIONS]}
    return [
        *(f"missing: {name} {_form(own[name])}{near.get(name, '')}" for name in found.missing),
        *(f"unexpected: {name} {_form(given[name])}" for name in found.unexpected),
        *(f"mismatched: {name} is {_form(own[name])}, given {_form(given[name])}" for name in found.mismatched),
    ]


def _form(value: Any) -> str:
    if not isinstance(value, torch.Tensor):
        return f"({type(value).__name__})"
    return "(lazy)" if nn.parameter.is_lazy(value) else str(tuple(value.shape))
