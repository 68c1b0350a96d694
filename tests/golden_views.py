"""Golden cases of views: ADAPTERS maps "kappadata:family" to function(args, root) -> what ``expected`` holds.

Views that draw use the same calls of numpy's generator as the original on purpose, so that they are met exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leaven.data.getters import class_count, getitem, labels
from leaven.data.mode import ModeView
from leaven_plugins.datasets.changes import LabelSmoothing, OneHot
from leaven_plugins.datasets.combination import Concat
from leaven_plugins.datasets.combination.concat import by_turns
from leaven_plugins.datasets.rearrangement import Shuffle, ShuffleWithinClasses, SortByClass
from leaven_plugins.datasets.relabelling import ClassGroups, RandomSuperclasses, SwapLabels, Unlabelled
from leaven_plugins.datasets.repetition import Oversample, Repeat
from leaven_plugins.datasets.selection import Classes, ClassSubset, FewShot, Percent, Subset
from leaven_plugins.models.positions import sincos_positions

Args = dict[str, Any]


class _Dataset:
    """What the cases are over: x is ten times the index, and leaves the index in the context."""

    def __init__(self, classes: Any, class_names: Any = ()) -> None:
        self.classes_of = np.asarray(classes, np.int64)
        self.class_names = tuple(class_names)

    def __len__(self) -> int:
        return len(self.classes_of)

    def sample(self, index: int) -> dict[str, Any]:
        return {"key": self.key(index), "x": index * 10, "label": int(self.classes_of[index])}

    def key(self, index: int) -> str:
        return f"s{index}"

    def getitem_x(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        if ctx is not None:
            ctx["seen"] = index
        return index * 10

    def getitem_class(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        return int(self.classes_of[index])

    def getall_class(self) -> Any:
        return self.classes_of

    def close(self) -> None:
        pass


def _of(args: Args) -> _Dataset:
    return _Dataset(args["classes"], args.get("class_names", ()))


def _percent(share: float) -> float:
    return float(f"{share * 100:.10g}")


def _shown(view: Any) -> list[int]:
    return [getitem(view, "x", index) // 10 for index in range(len(view))]


def _mode(args: Args, root: Path) -> Any:
    try:
        return [str(item) for item in ModeView(_of(args), args["mode"])]
    except KeyError:
        return "raises KeyError"


def _mode_ctx(args: Args, root: Path) -> Any:
    view = ModeView(_of(args), "x class", return_ctx=True)
    return [str(view[where]) for where in (0, -1, [1, 3], slice(0, 4, 2))]


def _class_filter(args: Args, root: Path) -> Any:
    keep = args.get("valid_classes", args.get("valid_class_names"))
    return _shown(Classes(_of(args), keep, args.get("invalid_classes", args.get("invalid_class_names"))))


def _percent_filter(args: Args, root: Path) -> Any:
    start, stop = _percent(args.get("from_percent", 0.0)), _percent(args.get("to_percent", 1.0))
    return _shown(Percent(_of(args), start, stop, args.get("ceil_from_index", False), args.get("ceil_to_index", False)))


_BOUNDS = {"start_index": "start", "end_index": "stop", "start_percent": "start_percent", "end_percent": "stop_percent"}


def _bounds(args: Args) -> Args:
    given = {ours: args[theirs] for theirs, ours in _BOUNDS.items() if theirs in args}
    return {name: _percent(value) if name.endswith("percent") else value for name, value in given.items()}


def _classwise(args: Args, root: Path) -> Any:
    return _shown(ClassSubset(_of(args), **_bounds(args), check=args.get("check_enough_samples", True)))


def _seeded(view: Any) -> Callable[[Args, Path], Any]:
    return lambda args, root: _shown(view(_of(args), seed=args["seed"]))


def _groups(args: Args, root: Path) -> Any:
    view = ClassGroups(_of(args), args["classes_per_group"], args.get("shuffle", False), args.get("seed", 0))
    return labels(view).tolist()


def _superclass(args: Args, root: Path) -> Any:
    dataset, size, splits = _of(args), args["classes_per_superclass"], args.get("superclass_splits", 1)
    view = RandomSuperclasses(dataset, size, splits, args.get("shuffle", True), args.get("seed", 0))
    return {"classes": labels(view).tolist(), "shape": [-(-class_count(dataset) // size) * splits]}


def _swap(args: Args, root: Path) -> Any:
    view = SwapLabels(_of(args), args["p"], args["seed"])
    return {"classes": labels(view).tolist(), "apply": view.getall_swapped().tolist()}


def _semi(args: Args, root: Path) -> Any:
    return labels(Unlabelled(_of(args), _percent(args["semi_percent"]), args["seed"])).tolist()


def _vectors(view: Any) -> Any:
    return [np.asarray(getitem(view, "class", index)).tolist() for index in range(3)]


def _concat(args: Args, root: Path) -> Any:
    view = Concat([_Dataset(args["a"]), _Dataset(args["b"])])
    items = ModeView(view, "x class")
    return {
        "len": len(view),
        "items": list(map(str, items)),
        "negative": str(items[-1]),
        "getall": labels(view).tolist(),
    }


def _concat_balanced(args: Args, root: Path) -> Any:
    """The original has no end: what lies beyond ours is computed from the lengths."""
    view = Concat([_Dataset(args["a"]), _Dataset(args["b"])], balanced=True)
    shown = [getitem(view, "x", index) for index in range(len(view))]
    lengths = [len(args["a"]), len(args["b"])]
    return [*shown, *(by_turns(index, lengths).position * 10 for index in range(len(view), 24))][:24]


def _kdsubset(args: Args, root: Path) -> Any:
    return list(map(str, ModeView(Subset(_Dataset(args["a"]), args["indices"]), "index x class")))


ADAPTERS: dict[str, Callable[[Args, Path], Any]] = {
    "kappadata:mode": _mode,
    "kappadata:mode_ctx": _mode_ctx,
    "kappadata:class_filter": _class_filter,
    "kappadata:oversampling": lambda args, root: _shown(Oversample(_of(args), args.get("mode", "multiply"))),
    "kappadata:percent": _percent_filter,
    "kappadata:repeat": lambda args, root: _shown(Repeat(_of(args), args.get("repetitions"), args.get("min_size"))),
    "kappadata:shuffle": _seeded(Shuffle),
    "kappadata:subset": lambda args, root: _shown(Subset(_of(args), **_bounds(args))),
    "kappadata:classwise": _classwise,
    "kappadata:fewshot": lambda args, root: _shown(FewShot(_of(args), args["num_shots"], args["seed"])),
    "kappadata:sort": lambda args, root: _shown(SortByClass(_of(args))),
    "kappadata:intra": _seeded(ShuffleWithinClasses),
    "kappadata:groups": _groups,
    "kappadata:superclass": _superclass,
    "kappadata:swap": _swap,
    "kappadata:semi": _semi,
    "kappadata:smooth": lambda args, root: _vectors(LabelSmoothing(_of(args), args["smoothing"])),
    "kappadata:onehot": lambda args, root: _vectors(OneHot(_of(args))),
    "kappadata:concat": _concat,
    "kappadata:concat_balanced": _concat_balanced,
    "kappadata:kdsubset": _kdsubset,
    "kappadata:pos_embed": lambda args, root: sincos_positions(args["embed_dim"], args["h"], args["w"]),
}
