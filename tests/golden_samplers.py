"""Golden cases of samplers: ADAPTERS maps "kappadata:family" to function(args, root) -> what is expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leaven.data.interleaved import Interleaved, Side
from leaven.data.orders import order_of
from leaven_plugins.samplers.balanced_epoch.sampler import BalancedEpoch

Args = dict[str, Any]


class Labels:
    """A dataset that has labels, and nothing else."""

    def __init__(self, labels: list[int]) -> None:
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def getall_label(self) -> Any:
        return np.array(self._labels)


def _balanced(args: Args, root: Path) -> Any:
    sampler = BalancedEpoch(args.get("samples_per_class"), args["shuffle"])
    share = args.get("rank", 0), args.get("world_size", 1)
    order = order_of(Labels(args["classes"]), sampler, args.get("seed", 0), *share)
    return order.cells(0, order.length).indices


def _interleaved(args: Args, root: Path) -> Any:
    side = Side(order_of(range(args["side_len"])), batch_size=args["side_batch_size"], **args["config"])
    names = ("epochs", "updates", "samples", "start_epoch", "start_update", "start_sample", "drop_last")
    options = {name: args[name] for name in names if name in args}
    return list(Interleaved(order_of(range(args["main_len"])), args["batch_size"], [side], **options))


ADAPTERS: dict[str, Callable[[Args, Path], Any]] = {
    "kappadata:balanced_sampler": _balanced,
    "kappadata:interleaved": _interleaved,
}

FAULTS: dict[str, str] = {
    f"kappadata:balanced_sampler/{number}/{{'shuffle': True": "K090: no fault, but the order of torch's own generator"
    for number in range(10)
}
