"""Freezing: parts of a network that training leaves as they are."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import Any

from torch import nn

from leaven.errors import ParameterError, listing, suggestion


def freeze(module: nn.Module, names: str | Sequence[str], keep_statistics: bool = True) -> list[str]:
    """Compute no more gradients of some weights.

    Args:
        module: the network.
        names: of weights, or of modules whose weights are meant, such as ``"layer1"`` or ``"body.0.weight"``; or
            patterns, such as ``"layer[12]"`` and ``"*.bn?"``. ``"*"`` is everything.
        keep_statistics: batch norms among these modules stay in evaluation mode also where the network is trained, so
            that their running statistics, too, stay as they are.

    Returns:
        The full names of the weights.

    Raises:
        ParameterError: a name or pattern leads to nothing.
    """
    frozen = _set_gradients(module, names, wanted=False)
    if keep_statistics:
        for part in _parts_with_statistics(module, names):
            part.eval()
            part.register_forward_pre_hook(_stay_in_eval)
    return frozen


def unfreeze(module: nn.Module, names: str | Sequence[str] = "*") -> list[str]:
    """Undo :func:`freeze`; modules are in the mode of the whole network again.

    Args:
        module: the network.
        names: as for :func:`freeze`.

    Returns:
        The full names of the weights.

    Raises:
        ParameterError: a name or pattern leads to nothing.
    """
    thawed = _set_gradients(module, names, wanted=True)
    for part in _parts_with_statistics(module, names):
        for number in [n for n, hook in part._forward_pre_hooks.items() if hook is _stay_in_eval]:
            del part._forward_pre_hooks[number]
        part.train(module.training)
    return thawed


def _set_gradients(module: nn.Module, names: str | Sequence[str], wanted: bool) -> list[str]:
    patterns = _patterns(names)
    parameters = dict(module.named_parameters())
    for pattern in patterns:
        if not any(_matches(name, [pattern]) for name in parameters):
            known = {part for name in parameters for part in _leading(name)}
            shown = listing(name for name, _ in module.named_children())
            raise ParameterError(f"no weights {pattern!r}{suggestion(pattern, known)}; the network has: {shown}")
    chosen = [name for name in parameters if _matches(name, patterns)]
    for name in chosen:
        parameters[name].requires_grad_(wanted)
    return chosen


def _parts_with_statistics(module: nn.Module, names: str | Sequence[str]) -> list[nn.Module]:
    parts = (part for name, part in module.named_modules() if _matches(name, _patterns(names)))
    return [part for part in parts if getattr(part, "running_mean", None) is not None]


def _patterns(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(part, pattern) for part in _leading(name) for pattern in patterns)


def _leading(name: str) -> list[str]:
    """Return ``a``, ``a.b`` and ``a.b.c`` of ``a.b.c``."""
    return list(accumulate(name.split("."), lambda above, part: f"{above}.{part}"))


def _stay_in_eval(module: nn.Module, inputs: Any) -> None:
    """Run before each call, since ``train()`` of the network comes to all modules. A function, so that copies work."""
    if module.training:
        module.eval()
