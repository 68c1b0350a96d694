"""Golden cases of batches and sources: ADAPTERS maps "batchup:family" to function(args, root) -> what is expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from leaven.data.array_source import ArraySource
from leaven.data.index_batches import num_batches
from leaven.data.joined import ChoiceSource, CompositeSource
from leaven.data.sources import Source
from leaven.data.whole_set import batch_map_concat, batch_map_mean
from leaven_plugins.samplers.weighted.balanced import class_balancing_weights

Args = dict[str, Any]


def _shuffle(args: Args, name: str = "shuffle_seed") -> Any:
    return None if args.get(name) is None else np.random.RandomState(args[name])


def _taken(batches: Iterator[Any], args: Args) -> list[Any]:
    return list(islice(batches, args.get("take")))


def _count(source: Source) -> Any:
    count = source.num_samples()
    return None if count == math.inf else count


def _indices(source: ArraySource, args: Args) -> list[Any]:
    return _taken(source.batch_indices_iterator(args["batch_size"], _shuffle(args, "seed")), args)


def _in_order(args: Args, root: Path) -> Any:
    source = ArraySource([range(args["length"])], repeats=args["repeats"])
    return {"batches": _indices(source, args), "num": _count(source)}


def _shuffled(args: Args, root: Path) -> Any:
    return {"batches": _in_order(args, root)["batches"]}


def _subset(args: Args, root: Path) -> Any:
    data = np.arange(max(args["indices"]) + 1)
    return {"batches": _indices(ArraySource([data], args["indices"], args["repeats"]), args)}


def _arrays(args: Args, root: Path) -> Any:
    options = {name: args[name] for name in ("indices", "include_indices", "repeats") if name in args}
    source = ArraySource(args["data"], **options)
    batches = _taken(source.batch_iterator(args["batch_size"], _shuffle(args)), args)
    return {"batches": list(map(list, batches)), "num_samples": _count(source)}


def _balanced(args: Args, root: Path) -> Any:
    """The draws are those of numpy's own generator by our weights."""
    weights = class_balancing_weights(args["y"])
    random = np.random.RandomState(7)
    draws = [random.choice(len(weights), size=(16,), p=weights) for _ in range(3)]
    return {"normalised_weights": weights, "draws_seed7_bs16x3": draws}


def _balanced_subset(args: Args, root: Path) -> Any:
    weights = class_balancing_weights(args["y"][args["indices"]])
    random = np.random.RandomState(7)
    draws = [args["indices"][random.choice(len(weights), size=(8,), p=weights)] for _ in range(3)]
    return {"sub_weights": weights, "draws_seed7_bs8x3": draws}


def _composite(args: Args, root: Path) -> Any:
    first = ArraySource([args["a"], args["a"] * 10], repeats=args["ra"])
    second = ArraySource([args["b"]], repeats=args["rb"])
    source = CompositeSource([first, second], args["flatten"], args["trim"])
    batches, shuffled = (
        _taken(source.batch_iterator(args["batch_size"], shuffle), args) for shuffle in (None, np.random.RandomState(3))
    )
    return {"batches": batches, "num_samples": _count(source), "shuffled_seed3": shuffled}


def _choice(args: Args, root: Path) -> Any:
    pairs = zip(args["lengths"], args["offsets"], strict=True)
    source = ChoiceSource([[np.arange(length) + offset] for length, offset in pairs], args["stratified"])
    return {
        "batches": list(source.batch_iterator(args["batch_size"], _shuffle(args))),
        "num_samples": _count(source),
    }


def _map(args: Args, root: Path) -> Any:
    return {"batches": list(ArraySource(args["data"]).map(_doubled).batch_iterator(args["batch_size"]))}


def _doubled(x: Any, y: Any) -> tuple[Any, ...]:
    return x * 2, y + 1


def _concat(args: Args, root: Path) -> Any:
    return batch_map_concat(args["data"], lambda x, y: ((x**2).sum(1), x[:, 0] + y), args["batch_size"])


def _concat_nbatches(args: Args, root: Path) -> Any:
    source = ArraySource(args["data"], repeats=args["repeats"])
    options = {"n_batches": args["n_batches"], "shuffle": _shuffle(args)}
    return source.batch_map_concat(lambda x: x[:, 0], args["batch_size"], **options)


def _concat_empty(args: Args, root: Path) -> Any:
    return {"returns": str(batch_map_concat([np.zeros((0, 2))], lambda x: x[:, 0], 3))}


def _mean(args: Args, root: Path) -> Any:
    return batch_map_mean(args["data"], lambda x, y: (x.sum(), (y > 4).sum()), args["batch_size"])


def _mean_axis(args: Args, root: Path) -> Any:
    return batch_map_mean(args["data"], lambda x, y: (x, x[:, 0] * y), args["batch_size"], sum_axis=args["sum_axis"])


def _mean_prepend(args: Args, root: Path) -> Any:
    def function(c: Any, x: Any, y: Any) -> Any:
        return float((c * x).sum())

    return batch_map_mean(args["data"], function, args["batch_size"], prepend_args=args["prepend_args"])


ADAPTERS: dict[str, Callable[[Args, Path], Any]] = {
    "batchup:num_batches": lambda args, root: num_batches(args["n"], args["batch_size"]),
    "batchup:standard_in_order": _in_order,
    "batchup:standard_shuffled": _shuffled,
    "batchup:subset_in_order": _subset,
    "batchup:subset_shuffled": _subset,
    "batchup:array_ds": _arrays,
    "batchup:class_balancing_weights": lambda args, root: class_balancing_weights(args["y"]),
    "batchup:class_balancing_sampler": _balanced,
    "batchup:class_balancing_subset": _balanced_subset,
    "batchup:composite": _composite,
    "batchup:choice": _choice,
    "batchup:map": _map,
    "batchup:map_concat": _concat,
    "batchup:map_concat_nbatches": _concat_nbatches,
    "batchup:map_concat_empty": _concat_empty,
    "batchup:map_mean": _mean,
    "batchup:map_mean_axis": _mean_axis,
    "batchup:map_mean_prepend": _mean_prepend,
}

FAULTS: dict[str, str] = {"batchup:map_concat_empty": "B042: nothing was None instead of an empty tuple"}
