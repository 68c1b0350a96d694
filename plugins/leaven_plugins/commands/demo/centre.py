"""Centre bias: how well a map does that is the same for all images, against which saliency has to be measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.protocols import Metric
from leaven.registry.registry import Registry
from leaven_plugins.trainers.standard.batches import mini_batches_of

_WIDTHS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)  # standard deviations, relative to the sides of the map


def centre_bias(data: Iterable[Any], registry: Registry, target_key: str = "target_image") -> float:
    """Return the normalised scanpath saliency of a Gaussian in the middle of each image, of the width that does best.

    Objects, and what people look at, tend to be in the middle of a picture; a map of saliency says something of its
    image only as far as it is better. After Tatler, "The central fixation bias in scene viewing", Journal of Vision 7,
    2007.

    Args:
        data: what a loader yields, with tensors on the CPU.
        registry: has ``metric:nss``.
        target_key: key of the maps of points, ``(rows, height, width)`` or ``(rows, 1, height, width)``.
    """
    metrics = {width: _nss(registry, target_key) for width in _WIDTHS}
    for item in data:
        for sample in mini_batches_of(item):
            for width, metric in metrics.items():
                metric.update(_predicting(sample, sample[target_key], width))
    return max(float(metric.compute()["nss"]) for metric in metrics.values())


def _nss(registry: Registry, target_key: str) -> Metric:
    metric: Metric = registry.create("nss", kind="metric", target_key=target_key)
    return metric


def _predicting(sample: Mapping[str, Any], target: Tensor, width: float) -> dict[str, Any]:
    height, across = target.shape[-2:]
    middle = torch.outer(_bell(height, width), _bell(across, width))
    return {**sample, "output": middle.expand(len(target), 1, height, across)}


def _bell(length: int, width: float) -> Tensor:
    places = (torch.arange(length) + 0.5) / length - 0.5
    return torch.exp(-((places / width) ** 2) / 2)
