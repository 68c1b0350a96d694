"""Golden cases of collators: ADAPTERS maps "kappadata:family" to function(args, root) -> what ``expected`` holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leaven_plugins.collators.mix.collator import Mix
from leaven_plugins.collators.padding.collator import Padding

Args = dict[str, Any]


def _mix(args: Args, root: Path) -> Any:
    """The mode of lambda was the mode of everything; a generator of the same seed gives the same mixing."""
    seed = int(re.fullmatch(r"np\.random\.default_rng\((\d+)\)", args["rng"])[1])
    collator = Mix(
        mixup_alpha=args.get("mixup_alpha", 1.0),
        cutmix_alpha=args.get("cutmix_alpha", 1.0),
        mixup_prob=args.get("mixup_p", 0.0),
        cutmix_prob=args.get("cutmix_p", 0.0),
        apply_mode=args.get("apply_mode", args["lamb_mode"]),
        lambda_mode=args["lamb_mode"],
        shuffle_mode=args["shuffle_mode"],
    )
    batch = collator.collate({"image": args["x"].copy(), "label": args["y"]}, np.random.default_rng(seed))
    lambdas = np.array([record["lambda"] for record in batch["mix"]])
    return {
        "x": batch["image"],
        "y": batch["target"],
        "lambda": lambdas[:1] if args["lamb_mode"] == "batch" else lambdas,
    }


def _pad(args: Args, root: Path) -> Any:
    assert args["item"] == "arange(l*2).reshape(l,2)"
    items = [np.arange(length * 2, dtype=np.float32).reshape(length, 2) for length in args["lengths"]]
    batch = {"item": items, "index": np.arange(len(items))}
    padded = Padding(mask=False).collate(batch, np.random.default_rng(0))
    return [padded["item"], padded["index"]]


ADAPTERS: dict[str, Callable[[Args, Path], Any]] = {"kappadata:mix_collator": _mix, "kappadata:pad": _pad}
