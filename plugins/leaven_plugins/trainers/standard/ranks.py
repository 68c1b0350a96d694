"""Ranks: what several processes that train together agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from leaven.errors import LeavenError
from leaven_plugins.distributed.messages import added
from leaven_plugins.distributed.world import World
from leaven_plugins.trainers.standard.batches import mini_batches_of, rows_of, samples_in
from leaven_plugins.trainers.standard.forward import evaluating

Sample = dict[str, Any]


class Turn(NamedTuple):
    """One iteration of all ranks.

    ``samples`` are this rank's mini-batches, and may be none; ``rows`` are those of all ranks together; ``stop`` says
    that a rank was asked to stop; ``idle`` has as many mini-batches of one row as the rank with the most has more: what
    is exchanged in a pass is exchanged by all ranks, or they would wait for each other for ever.
    """

    samples: list[Sample]
    rows: int
    stop: bool
    idle: Sequence[Sample] = ()


def turns(data: Iterable[Any], world: World, wants_stop: Callable[[], bool]) -> Iterator[Turn]:
    """Yield the iterations of ``data`` until that of every rank has ended: all ranks take equally many turns.

    Alone this costs nothing; otherwise one small message between the hosts for each turn, which no device waits for.

    Args:
        data: what a loader yields.
        world: the ranks.
        wants_stop: returns whether this rank was asked to stop.

    Raises:
        LeavenError: the data is no data, or a rank has none at all.
    """
    if world.size == 1:
        for item in data:
            samples = mini_batches_of(item)
            del item
            yield Turn(samples, sum(map(rows_of, samples)), wants_stop())
            del samples  # or this frame would hold the batch's memory while it waits for the next one
        return
    yield from _agreed(data, world, wants_stop)


def _agreed(data: Iterable[Any], world: World, wants_stop: Callable[[], bool]) -> Iterator[Turn]:
    iterator, ended, spare = iter(data), object(), None
    while True:
        item = next(iterator, ended)
        if spare is None and item is not ended:
            spare = _stand_in(samples_in(item)[0])
        samples = [] if item is ended else mini_batches_of(item)
        passes = [0] * world.size
        passes[world.rank] = len(samples)
        words = torch.tensor([int(item is not ended), sum(map(rows_of, samples)), int(wants_stop()), *passes])
        del item
        alive, rows, stop, *passes = added(words).tolist()  # world.sum() would compare shapes first
        if not alive:
            return
        if spare is None:
            raise LeavenError(f"rank {world.rank} of {world.size} has no data, and others have")
        yield Turn(samples, rows, bool(stop), [spare] * (max(passes) - len(samples)))
        del samples


def idle_loss(network: torch.nn.Module, sample: Sample) -> torch.Tensor:
    """Return a loss of zero whose backward pass exchanges gradients of zero.

    Batch normalisation takes nothing of the sample into its statistics.
    """
    with evaluating(network):
        output: Mapping[str, Any] = network(dict(sample))
    tensors = [v for v in output.values() if isinstance(v, torch.Tensor) and v.requires_grad]
    return torch.stack([torch.nan_to_num(tensor.float()).sum() * 0 for tensor in tensors]).sum()


def share_buffers(network: torch.nn.Module, world: World) -> None:
    """Give all ranks the buffers of rank 0, such as the running statistics of batch normalisation."""
    if world.size > 1:
        for buffer in network.buffers():
            torch.distributed.broadcast(buffer, 0)


def _stand_in(sample: Mapping[str, Any]) -> Sample:
    """Return a copy of a sample's first row."""
    rows = rows_of(sample)
    return {key: _first(value, rows) for key, value in sample.items()}


def _first(value: Any, rows: int) -> Any:
    if isinstance(value, list):
        return value[:1] if len(value) == rows else value
    if getattr(value, "shape", ())[:1] != (rows,):
        return value
    return value[:1].clone() if isinstance(value, torch.Tensor) else value[:1].copy()
