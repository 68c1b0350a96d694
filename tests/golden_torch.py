"""Golden cases of losses, metrics and policies: key -> function(args, root) that returns what ``expected`` holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.losses.nll.loss import NLL
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.metrics.average.metric import Average
from leaven_plugins.policies.poly.policy import Poly


def _loss(kind: Any) -> Any:
    def adapter(args: dict[str, Any], root: Path) -> Any:
        options = {key: args[key] for key in ("weight", "reduction", "ignore_index") if key in args}
        return kind(**options)({"output": torch.tensor(args["output"]), "label": torch.tensor(args["label"])}).numpy()

    return adapter


def _accuracy(args: dict[str, Any], root: Path) -> Any:
    """The second call's scores are the negated first ones."""
    metric = Accuracy(top_k=args["top_k"])
    results = []
    for sign in (1, -1):
        metric.update({"output": sign * torch.tensor(args["output"]), "label": torch.tensor(args["label"])})
        values = metric.compute().values()
        results.append({f"top-{k} acc": value for k, value in zip(args["top_k"], values, strict=True)})
    return dict(zip(("after_first", "after_second"), results, strict=True))


def _average(args: dict[str, Any], root: Path) -> Any:
    metric = Average()
    means = []
    for value in args["values"]:
        metric.update({"output": torch.tensor(value)})
        means.append(metric.compute()["average_metric"])
    return means


def _poly(args: dict[str, Any], root: Path) -> Any:
    policy = Poly(power=args["power"])
    return [[policy.value(base, epoch, args["num_epochs"]) for base in args["base_lrs"]] for epoch in args["epochs"]]


ADAPTERS = {
    "crumpets:poly": _poly,
    "crumpets:cross_entropy": _loss(CrossEntropy),
    "crumpets:cross_entropy_w": _loss(CrossEntropy),
    "crumpets:nll": _loss(NLL),
    "crumpets:accuracy": _accuracy,
    "crumpets:average_metric": _average,
}
