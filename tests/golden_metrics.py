"""Golden cases of metrics: key -> function(args, root) that returns what ``expected`` holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.metrics.confusion_matrix.metric import ConfusionMatrix
from leaven_plugins.metrics.mse.metric import MSE
from leaven_plugins.metrics.nss.metric import NSS
from leaven_plugins.metrics.psnr.metric import PSNR
from leaven_plugins.metrics.ssim.metric import GlobalSSIM


def _mse(args: dict[str, Any], root: Path) -> Any:
    output, target = torch.tensor(args["output"]), torch.tensor(args["target_image"])
    return _after_each(MSE(), [(output, target), (output * 0, target)])


def _nss(args: dict[str, Any], root: Path) -> Any:
    """The original divides by the number of rows as well, though the sum of the targets is one over all rows."""
    output, target = torch.tensor(args["output"]), torch.tensor(args["target_image"])
    values = _after_each(NSS(), [(output, target), (output * 2 + 1, target.flip(-1))])
    return {name: value / len(output) for name, value in values.items()}


def _after_each(metric: Any, pairs: list[tuple[Any, Any]]) -> dict[str, float]:
    values = []
    for output, target in pairs:
        metric.update({"output": output, "target_image": target})
        values.extend(metric.compute().values())
    return dict(zip(("after_first", "after_second"), values, strict=True))


def _confusion(args: dict[str, Any], root: Path) -> Any:
    metric = ConfusionMatrix(classes=args["output"].shape[1])
    for sign in (1, -1):
        metric.update({"output": sign * torch.tensor(args["output"]), "label": torch.tensor(args["label"])})
    return {"cmat": metric.matrix.numpy(), "true_false_positives": metric.true_false_positives().numpy()}


def _of_images(kind: Any) -> Callable[[dict[str, Any], Path], Any]:
    def adapter(args: dict[str, Any], root: Path) -> Any:
        metric = kind()
        metric.update({"output": torch.tensor(args["x"]), "target_image": torch.tensor(args["y"])})
        return next(iter(metric.compute().values()))

    return adapter


def _accuracy(args: dict[str, Any], root: Path) -> Any:
    logits, label = torch.tensor(args["logits"]), torch.tensor(args["label"])
    one_hot = torch.nn.functional.one_hot(label, logits.shape[1])
    return {
        "single_index": _accuracy_of(Accuracy(), logits, label),
        "single_one_hot": _accuracy_of(Accuracy(), logits, one_hot),
        "multi_label_exact_match": _accuracy_of(
            Accuracy(multi_label=True), torch.tensor(args["prob"]), torch.tensor(args["multi"])
        ),
    }


def _accuracy_of(metric: Accuracy, output: Any, label: Any) -> float:
    metric.update({"output": output, "label": label})
    return next(iter(metric.compute().values()))


ADAPTERS = {
    "crumpets:mse_metric": _mse,
    "crumpets:nss_metric": _nss,
    "crumpets:confusion": _confusion,
    "nebulae:PSNR1": _of_images(PSNR),
    "nebulae:SSIM1": _of_images(GlobalSSIM),
    "nebulae:AccCls": _accuracy,
}

FAULTS = {
    "crumpets:confusion": "C151: what it calls false positives are those that were not found",
}
