"""Module: torch's, with a name of its own and paths to what is in it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from leaven.errors import LeavenError, listing, suggestion


class PathError(LeavenError, LookupError):
    """A path leads to nothing in a module, or something may not be put there."""


class Module(nn.Module):
    """A module whose parts are found by paths: ``m["stem/conv/weight"]`` reads, ``m["stem/conv"] = ...`` writes.

    Subclasses say in :meth:`run` what they do.

    Args:
        scope: a name, such as that of files with its weights; that of the class if it is left out.
    """

    def __init__(self, scope: str = "") -> None:
        super().__init__()
        self.scope = scope or type(self).__name__

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Do what the module is for; called with what the module is called with."""
        raise NotImplementedError(f"{type(self).__name__} has no method 'run'")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what :meth:`run` returns."""
        return self.run(*args, **kwargs)

    def __getitem__(self, path: str) -> Any:
        """Return a module, parameter, buffer or attribute.

        Raises:
            PathError: there is none of this path.
        """
        found: Any = self
        for name in path.split("/"):
            held = _held(found)
            if name not in held:
                hint = suggestion(name, held)
                raise PathError(f"{self.scope}: no {path!r}: no {name!r}{hint}; there are: {listing(held)}")
            found = held[name]
        return found

    def __setitem__(self, path: str, value: Any) -> None:
        """Put something there, in place of what was there.

        Raises:
            PathError: the path leads through something that does not exist, or to a method.
        """
        above, _, name = path.rpartition("/")
        owner = self[above] if above else self
        if not isinstance(owner, nn.Module):
            raise PathError(f"{self.scope}: {above!r} is of type {type(owner).__name__}, not a module")
        if not name or "." in name or hasattr(type(owner), name):
            raise PathError(f"{self.scope}: {name!r} is not a name, or one of the methods of {type(owner).__name__}")
        setattr(owner, name, value)

    def vars(self) -> dict[str, nn.Parameter]:
        """Return all parameters by path."""
        return {name.replace(".", "/"): parameter for name, parameter in self.named_parameters()}

    def weights(self) -> dict[str, nn.Parameter]:
        """Return, by path, the parameters of two and more dimensions, for weight decay: no biases, no scales."""
        return {path: parameter for path, parameter in self.vars().items() if parameter.ndim > 1}

    @property
    def device(self) -> torch.device:
        """Where the first parameter is, or else the first buffer; the CPU where there is none."""
        for tensors in (self.parameters(), self.buffers()):
            for tensor in tensors:
                return tensor.device
        return torch.device("cpu")


def _held(owner: Any) -> dict[str, Any]:
    if not isinstance(owner, nn.Module):
        return {}
    own = {name: value for name, value in vars(owner).items() if not name.startswith("_")}
    return own | dict(owner.named_children()) | owner._parameters | owner._buffers
