"""Datasets as torch's, and torch's as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from torch.utils.data import Dataset, IterableDataset, get_worker_info

from leaven.data.adapters import Items
from leaven.data.getters import content
from leaven.data.mode import ModeView
from leaven.errors import ParameterError
from leaven_plugins.torch_data.parameters import Transforms

Functions = Mapping[str, Callable[..., Any]]
DrawParameters = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def from_torch(dataset: Any, fields: Sequence[str] = ("image", "label")) -> Items:
    """Return a map style dataset of torch as one of ours.

    Args:
        dataset: gives a tuple for each position, or a mapping.
        fields: the names of the parts.
    """
    return Items(dataset, tuple(fields))


def to_torch(
    dataset: Any, mode: str | None = None, transforms: Functions | None = None, rng: DrawParameters | None = None
) -> ModeView | MapStyle:
    """Return one of our datasets for torch's ``DataLoader``, with positions.

    Args:
        dataset: the dataset.
        mode: names of parts, such as ``"x class"``: items are tuples of these. Otherwise they are whole samples.
        transforms: for whole samples: functions of the fields that are to be changed, see
            :class:`~leaven_plugins.torch_data.parameters.Drawn`.
        rng: called with a sample, returns parameters for these functions, which become the sample's ``__params__``.

    Raises:
        ParameterError: both a mode and transforms; or the dataset has no such parts.
    """
    if mode is None:
        return MapStyle(dataset, transforms, rng)
    if transforms or rng:
        raise ParameterError("to_torch: mode or transforms: one of them; the view dataset:map changes single fields")
    return ModeView(dataset, mode)


class MapStyle(Dataset[dict[str, Any]]):
    """Whole samples by position, as mappings; arguments as for :func:`to_torch`."""

    def __init__(self, dataset: Any, transforms: Functions | None = None, rng: DrawParameters | None = None) -> None:
        self.dataset = dataset
        self.transforms = Transforms(transforms or {}, rng)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return a sample; raises as the dataset's ``sample`` does."""
        return self.transforms(content(self.dataset, index))


class IterableStyle(IterableDataset[dict[str, Any]]):
    """Whole samples one after the other: each worker of each rank has a stretch of the dataset, one of as many.

    The stretches rotate among ranks with the epoch, so that over the epochs each rank sees all of the dataset. The
    samples of a stretch come in order, as is fast to read; a view ``shuffle`` below, or packing in an order of chance,
    mixes them.

    Args:
        dataset: the dataset.
        transforms: as for :func:`to_torch`.
        rng: the same.
        batch_size: of the ``DataLoader``: that all stretches make as many batches is then checked.
        epoch: which one the next iteration is; see :meth:`set_epoch`.
        rank: which process this is, ``0 <= rank < world_size``.
        world_size: how many processes there are.

    Raises:
        ParameterError: there is no such rank; at an iteration, that one stretch makes more batches than another, so
            that some rank would wait for the others for ever.
    """

    def __init__(
        self,
        dataset: Any,
        transforms: Functions | None = None,
        rng: DrawParameters | None = None,
        *,
        batch_size: int | None = None,
        epoch: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if not 0 <= rank < world_size:
            raise ParameterError(f"no rank {rank} of {world_size}")
        self.dataset = dataset
        self.transforms = Transforms(transforms or {}, rng)
        self.batch_size = batch_size
        self.epoch = epoch
        self.rank = rank
        self.world_size = world_size

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is; workers that persist keep the one that they have begun with."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Go over the stretch of this worker, or of this rank where there are no workers."""
        info = get_worker_info()
        workers, worker = (info.num_workers, info.id) if info is not None else (1, 0)
        count, shards = len(self.dataset), self.world_size * workers
        if self.batch_size is not None:
            _check_batches(count, shards, self.batch_size)
        shard = (self.rank + self.epoch) % self.world_size * workers + worker
        for index in range(count * shard // shards, count * (shard + 1) // shards):
            yield self.transforms(content(self.dataset, index))


def _check_batches(count: int, shards: int, batch_size: int) -> None:
    short, long = count // shards, -(-count // shards)
    if -(-short // batch_size) != -(-long // batch_size):
        raise ParameterError(
            f"{count} samples in {shards} parts: {short} samples make {-(-short // batch_size)} batches of "
            f"{batch_size}, but {long} make {-(-long // batch_size)}; take another batch size or number of workers"
        )
