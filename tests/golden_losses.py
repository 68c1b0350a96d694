"""Golden cases of losses: "system:family" -> function(args, root) that returns what ``expected`` holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from leaven_plugins.losses.bce.loss import BCE
from leaven_plugins.losses.charbonnier.loss import Charbonnier
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.losses.huber.loss import Huber
from leaven_plugins.losses.l1.loss import L1
from leaven_plugins.losses.label_smoothing.loss import LabelSmoothing
from leaven_plugins.losses.mse.loss import MSE
from leaven_plugins.losses.nss.loss import NSS
from leaven_plugins.losses.ohem.loss import OHEM


def _of(loss: Any, output: str = "x", target: str = "y") -> Any:
    def adapter(args: dict[str, Any], root: Path) -> Any:
        sample = {key: torch.tensor(args[name]) for key, name in (("output", output), (loss.target_key, target))}
        return loss(sample).numpy()

    return adapter


def _label_smoothing(args: dict[str, Any], root: Path) -> Any:
    return _of(LabelSmoothing(args["smoothing"]), "output", "target")(args, root)


def _softmax_entropy(args: dict[str, Any], root: Path) -> Any:
    output, labels = torch.tensor(args["x"]), torch.tensor(args["y"])
    targets = {"index": labels, "one_hot": torch.eye(output.shape[1])[labels]}
    return {name: CrossEntropy()({"output": output, "label": target}).numpy() for name, target in targets.items()}


def _ohem(args: dict[str, Any], root: Path) -> Any:
    loss = OHEM(
        MSE(reduction="none"), args["he_ratio"], args["np_ratio"], args["thr"], args["chnl_wise"], args["keep_pos"]
    )
    return loss({"output": torch.tensor(args["x"]), "target_image": torch.tensor(args["y"])}).numpy()


def _binary_nll(args: dict[str, Any], root: Path) -> Any:
    """It is half of the binary cross entropy."""
    return _of(BCE(from_logits=False), "pred", "gt")(args, root) / 2


ADAPTERS = {
    "crumpets:l1": _of(L1(), "output", "target_image"),
    "crumpets:mse": _of(MSE(), "output", "target_image"),
    "crumpets:nss_loss": _of(NSS(), "output", "target_image"),
    "crumpets:label_smoothing": _label_smoothing,
    "nebulae:MAE": _of(L1()),
    "nebulae:MSE": _of(MSE()),
    "nebulae:Huber0.3": _of(Huber(0.3)),
    "nebulae:Charbon": _of(Charbonnier()),
    "nebulae:SigmXE": _of(BCE()),
    "nebulae:SftmXE": _softmax_entropy,
    "nebulae:OHEM": _ohem,
    "elektronn2:binary_nll_soft": _binary_nll,
    "elektronn2:binary_nll_hard": _binary_nll,
}

FAULTS = {"crumpets:nss_loss": "C147: it was divided by the number of rows once more"}
