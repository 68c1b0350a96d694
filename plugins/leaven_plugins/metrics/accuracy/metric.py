"""Accuracy: how often the right class is among the k highest outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.metrics.counting import check_labels, class_targets, counted
from leaven_plugins.metrics.sums import SumMetric


@dataclass(eq=False)
class Accuracy(SumMetric):
    """Hits divided by labels since :meth:`reset`: ``accuracy`` for k = 1, ``top5_accuracy`` for k = 5.

    With ``multi_label`` each row has any number of classes, and the value is ``exact_match``: the share of rows of
    which all classes were found, and none that is not there.

    Args:
        top_k: one k, or several.
        output_key: key of the scores, ``(rows, classes)`` or ``(rows, classes, *positions)``; of several labels, their
            probabilities, of which those above 1/2 are found.
        target_key: key of the class numbers, integers; axes of length one do not count. Or, in the scores' shape, a
            share for each class (also one-hot), of which the largest is the label's; of several labels, 0 or 1.
        ignore_index: class number that does not count.
        multi_label: whether a row has several labels.

    Raises:
        ParameterError: no ``top_k``, one below 1, or one above 1 with ``multi_label``.
    """

    top_k: int | Sequence[int] = 1
    output_key: str = "output"
    target_key: str = "label"
    ignore_index: int = -100
    multi_label: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        top_k = (self.top_k,) if isinstance(self.top_k, int) else tuple(self.top_k)
        if not top_k or min(top_k) < 1:
            raise ParameterError(f"accuracy: top_k={self.top_k!r}: expected one or more numbers from 1")
        if self.multi_label and top_k != (1,):
            raise ParameterError(f"accuracy: top_k={self.top_k!r} has no meaning with multi_label=True")
        self.top_k = self._ks = top_k

    def zeros(self) -> dict[str, Tensor]:  # noqa: D102
        zero = torch.zeros((), dtype=torch.int64)
        return {"hits": torch.zeros(len(self._ks), dtype=torch.int64), "labels": zero, "outside": zero}

    def terms(self, sample: Mapping[str, Any]) -> Mapping[str, Tensor | int]:  # noqa: D102
        output = sample[self.output_key].detach()
        if self.multi_label:
            return _matches(output, torch.as_tensor(sample[self.target_key]), self.target_key)
        target = class_targets(output, sample[self.target_key], self.target_key)
        if max(self._ks) > output.shape[1]:
            raise LeavenError(f"accuracy: top_k={max(self._ks)} of an output with {output.shape[1]} classes")
        counts, outside = counted(target, output.shape[1], self.ignore_index)
        found = output.topk(max(self._ks), dim=1).indices == target.unsqueeze(1)
        hits = torch.stack([(found[:, :k].any(1) & counts).sum() for k in self._ks])
        return {"hits": hits, "labels": counts.sum(), "outside": outside}

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: D102
        check_labels(sums["outside"], self.target_key, self.ignore_index)
        shares = (sums["hits"] / sums["labels"].double()).tolist()
        if self.multi_label:
            return {"exact_match": shares[0]}
        return {_key(k): share for k, share in zip(self._ks, shares, strict=True)}


def _matches(output: Tensor, target: Tensor, target_key: str) -> dict[str, Tensor | int]:
    if output.shape != target.shape or output.ndim < 2:
        raise LeavenError(f"{target_key}: shape {tuple(target.shape)} is not that of the output, {tuple(output.shape)}")
    found = (output > 0.5) == (target.to(output.device) > 0.5)
    matches = found.flatten(1).all(1)
    return {"hits": matches.sum().reshape(1), "labels": len(matches), "outside": 0}


def _key(k: int) -> str:
    return "accuracy" if k == 1 else f"top{k}_accuracy"
