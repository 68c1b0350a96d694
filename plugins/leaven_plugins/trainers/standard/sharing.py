"""Sharing: how the network is spread over the processes that train together."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from leaven.errors import ParameterError
from leaven_plugins.distributed.joining import join, leave
from leaven_plugins.distributed.world import World, current
from leaven_plugins.distributed.wrapping import MODES, full_state, load_full_state, wrapped

_TIMEOUT = 600.0


def joined_world(device: torch.device) -> World:
    """Return the world, joined for the rest of the program where the environment names one and nobody has done so."""
    if join(device.type, _TIMEOUT):
        atexit.register(_leave)
    return current()


class Sharing:
    """A network among the ranks.

    Args:
        network: the bare one, or, with ``fsdp``, one that is sharded already.
        world: the ranks.
        mode: ``ddp`` or ``fsdp``.
        sync_batchnorm: compute the statistics of batch normalisation over all ranks.

    Attributes:
        module: what is called in training.
        validating: the ranks that have to take equally many turns in validation: all where weights are sharded.

    Raises:
        ParameterError: there is no such mode, or the network is not sharded where it has to be.
    """

    def __init__(self, network: torch.nn.Module, world: World, mode: str, sync_batchnorm: bool) -> None:
        if mode not in MODES:
            raise ParameterError(f"trainer standard: parallel={mode!r}: expected one of {', '.join(MODES)}")
        self._network = network
        self._world = world
        self._sharded = mode == "fsdp" and world.size > 1
        if self._sharded and not hasattr(network, "set_requires_gradient_sync"):
            raise ParameterError(
                "parallel='fsdp': the network has to be sharded before its optimizer is made: "
                "network = leaven_plugins.distributed.wrapping.wrapped(network, world, 'fsdp')"
            )
        self.module = network if self._sharded else wrapped(network, world, mode, sync_batchnorm)
        self.validating = world if self._sharded else World()

    def quietly(self) -> AbstractContextManager[Any]:
        """Return what to run passes in whose gradients need not be exchanged yet."""
        return self.module.no_sync() if isinstance(self.module, DistributedDataParallel) else nullcontext()

    def exchange(self) -> None:
        """Make all gradients the mean over the ranks."""
        if self._world.size > 1 and not self._sharded:
            for parameter in self._network.parameters():
                if parameter.grad is not None:
                    torch.distributed.all_reduce(parameter.grad)
                    parameter.grad.div_(self._world.size)

    def pieces(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return network and optimizer as what has a state."""
        if not self._sharded:
            return {"model": self._network, "optimizer": _Optimizer(self._network, optimizer, self._world)}
        whole = _Sharded(self._network, optimizer, self._world)
        return {"model": whole.part("model"), "optimizer": whole.part("optimizer")}


class _Optimizer:
    """An optimizer that also takes the state of one over a sharded network, which goes by names."""

    def __init__(self, network: torch.nn.Module, optimizer: torch.optim.Optimizer, world: World) -> None:
        self._network, self._optimizer, self._world = network, optimizer, world

    def state_dict(self) -> dict[str, Any]:
        return self._optimizer.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        names = [name for group in state["param_groups"] for name in group["params"]]
        if names and isinstance(names[0], str):
            model = self._network.state_dict()
            load_full_state({"model": model, "optimizer": state}, self._network, self._optimizer, World())
        else:
            self._optimizer.load_state_dict(dict(state))
        lacking = [key for group in self._optimizer.param_groups for key in self._optimizer.defaults.keys() - group]
        if lacking:
            raise ValueError(f"it is of another kind, and says nothing of {min(lacking)!r}")


class _Sharded:
    """Network and optimizer of which each rank has a part; gathered once for both."""

    def __init__(self, network: torch.nn.Module, optimizer: torch.optim.Optimizer, world: World) -> None:
        self._network, self._optimizer, self._world = network, optimizer, world
        self._gathered: dict[str, Any] | None = None
        self._loaded: dict[str, Any] = {}

    def part(self, name: str) -> _Part:
        return _Part(self, name)

    def gathered(self, name: str) -> Any:
        if self._gathered is None:
            self._gathered = full_state(self._network, self._optimizer)
        return self._gathered.get(name, {})

    def load(self, name: str, state: Mapping[str, Any]) -> None:
        self._loaded[name] = dict(state)
        if name == "model":
            load_full_state(self._loaded, self._network, None, self._world)
        else:
            load_full_state(self._loaded, self._network, self._optimizer, self._world)


class _Part:
    def __init__(self, whole: _Sharded, name: str) -> None:
        self._whole, self._name = whole, name

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = self._whole.gathered(self._name)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._whole.load(self._name, state)


def _leave() -> None:
    gc.collect()  # or a network that DDP has wrapped would keep the group for the interpreter's end, which may abort
    leave()
