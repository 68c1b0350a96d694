"""Networks whose gradients, or also weights, are spread over several processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from leaven.errors import ParameterError
from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.world import World

MODES = ("ddp", "fsdp")
"""``ddp``: each rank has all weights. ``fsdp``: each has a part of weights, gradients and optimizer state."""


def wrapped(
    module: nn.Module,
    world: World,
    mode: str = "ddp",
    sync_batchnorm: bool = False,
    find_unused: bool = False,
    static_graph: bool = False,
) -> nn.Module:
    """Return what is to be called instead of ``module``: gradients become the mean over the ranks in ``backward()``.

    Alone it is ``module`` itself. With ``ddp``, the result has it as its ``module``; with ``fsdp``, it is ``module``,
    whose parameters have become ``DTensor``: the optimizer is made afterwards.

    Args:
        module: a network, on the device where it is to be trained; it may take and return sample dicts.
        world: the ranks; all call this with the same network. Weights of rank 0 go to the others (``ddp``).
        mode: one of :data:`MODES`.
        sync_batchnorm: whether batch normalisation is to use the mean and variance of all ranks' rows. GPUs only.
        find_unused: whether some parameters may have no part in a loss, which costs a search in each step (``ddp``).
        static_graph: whether the same parameters have a part in each step, which saves work (``ddp``).

    Raises:
        ParameterError: another mode, or options that do not go together.
        DistributedError: ``sync_batchnorm`` on a CPU, or a group that was not joined.
    """
    _check(mode, find_unused, static_graph)
    if world.size == 1:
        return module
    if not world.backend:
        raise DistributedError("the ranks are not connected: call it within leaven_plugins.distributed.world.joined()")
    device = next(module.parameters(), torch.empty(0)).device
    if sync_batchnorm:
        module = _synced(module, device)
    if mode == "fsdp":
        return _sharded(module, world, device)
    if not any(parameter.requires_grad for parameter in module.parameters()):
        return module  # DDP refuses what has no gradients
    return DistributedDataParallel(
        module,
        device_ids=[device] if device.type == "cuda" else None,
        find_unused_parameters=find_unused,
        static_graph=static_graph,
    )


def full_state(module: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> dict[str, Any]:
    """Return the whole state of a network, ``"model"``, and of its optimizer, ``"optimizer"``, on the CPU.

    It is the same for any mode and number of ranks, and alone: names are those of the bare network, and the optimizer's
    state has them in the place of numbers. All ranks call it, and only rank 0 gets the content. As with
    ``state_dict()``, tensors that were on the CPU are no copies: they change with the next step.

    Args:
        module: the network, wrapped or not.
        optimizer: over its parameters.
    """
    from torch.distributed.checkpoint import state_dict as gathering  # 0.3 s

    options = gathering.StateDictOptions(full_state_dict=True, cpu_offload=True)
    parts: dict[str, Any] = {"model": gathering.get_model_state_dict(module, options=options)}
    if optimizer is not None:
        parts["optimizer"] = gathering.get_optimizer_state_dict(module, optimizer, options=options)
    return parts


def load_full_state(
    state: Mapping[str, Any], module: nn.Module, optimizer: torch.optim.Optimizer | None, world: World
) -> None:
    """Load what :func:`full_state` returned, in this or another mode or number of ranks; gradients are dropped.

    Args:
        state: on rank 0; what the others pass does not matter.
        module: the network, wrapped or not.
        optimizer: over its parameters; ``None`` where its state is not wanted.
        world: the ranks; all call this.

    Raises:
        DistributedError: the optimizer has other groups of parameters than the one that was saved.
        RuntimeError: the network has other weights than the one that was saved; from torch, which names them.
    """
    from torch.distributed.checkpoint import state_dict as gathering

    parts = {name: world.broadcast(dict(state.get(name, {}))) for name in ("model", "optimizer")}
    options = gathering.StateDictOptions(full_state_dict=True)
    gathering.set_model_state_dict(module, parts["model"], options=options)
    if optimizer is not None:
        optimizer.zero_grad()  # torch prepares the state of optimizers that have no gradients yet, and needs it
        _load_groups(optimizer, parts["optimizer"])
        if _has_tensors(parts["optimizer"].get("state", {})):  # torch fails where there are none: SGD without momentum
            gathering.set_optimizer_state_dict(module, optimizer, parts["optimizer"], options=options)
        else:
            optimizer.state.clear()


def _load_groups(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Load all but the state of weights, with new keys such as ``initial_lr``, which torch drops or refuses."""
    groups = state.get("param_groups", [])
    if len(groups) != len(optimizer.param_groups):
        raise DistributedError(
            f"the state is of an optimizer with {len(groups)} groups of parameters, this one has "
            f"{len(optimizer.param_groups)}: make it as it was made then"
        )
    for group, saved in zip(optimizer.param_groups, groups, strict=True):
        group.update({key: value for key, value in saved.items() if key != "params"})


def _has_tensors(state: Mapping[str, Any]) -> bool:
    return any(isinstance(value, torch.Tensor) for entry in state.values() for value in entry.values())


def _check(mode: str, find_unused: bool, static_graph: bool) -> None:
    if mode not in MODES:
        raise ParameterError(f"mode={mode!r}: expected one of {', '.join(MODES)}")
    if mode == "fsdp" and (find_unused or static_graph):
        raise ParameterError("find_unused and static_graph are options of mode='ddp'")
    if find_unused and static_graph:
        raise ParameterError("find_unused and static_graph exclude each other: a static graph needs no search")


def _synced(module: nn.Module, device: torch.device) -> nn.Module:
    if device.type != "cuda":
        raise DistributedError(
            f"sync_batchnorm=True with a network on {device.type}: torch has it for GPUs only; leave it out"
        )
    return cast(nn.Module, nn.SyncBatchNorm.convert_sync_batchnorm(module))  # type: ignore[no-untyped-call]


def _sharded(module: nn.Module, world: World, device: torch.device) -> nn.Module:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device.type, (world.size,))
    for block in [*_blocks(module), module]:
        fully_shard(block, mesh=mesh)
    return module


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """Yield what is fetched and given back at a time, inner ones first: blocks of several layers that come in a row."""
    for parent in reversed(list(module.modules())):
        if isinstance(parent, (nn.Sequential, nn.ModuleList)):
            yield from (child for child in parent if _is_block(child))


def _is_block(module: nn.Module) -> bool:
    several = next(module.children(), None) is not None and not isinstance(module, nn.ModuleList)
    return several and next(module.parameters(), None) is not None
