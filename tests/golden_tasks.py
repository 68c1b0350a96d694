"""Golden cases of pools: ADAPTERS maps "batchup:family" to function(args, root) -> what ``expected`` holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leaven import WorkerProcessPool, WorkerThreadPool

Args = dict[str, Any]


def _pool_order(args: Args, root: Path) -> Any:
    """Both kinds of pools give the serial order; where they differ there is no answer."""
    indices = [np.arange(len(args["data"][0]))] if args["include_indices"] else []
    found = []
    for kind in (WorkerThreadPool, WorkerProcessPool):
        with kind(processes=3) as pool:
            source = pool.parallel_data_source([*indices, *args["data"]], batch_buffer_size=2)
            shuffle = np.random.RandomState(args["shuffle_seed"])
            found.append([list(batch) for batch in source.batch_iterator(args["batch_size"], shuffle=shuffle)])
    same = all(np.array_equal(*parts) for batches in zip(*found, strict=True) for parts in zip(*batches, strict=True))
    return {"batches": found[0]} if same else {"batches": []}


ADAPTERS: dict[str, Callable[[Args, Path], Any]] = {"batchup:thread_pool_order": _pool_order}
