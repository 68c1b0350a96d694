"""What a component of each kind must be able to do.

A parameter annotated with one of these protocols takes a component: an instance, a spec string
(``"mixture"``) or a table (``{"use": "mixture", ...}``); :func:`leaven.create` builds it.
Nothing has to inherit from a protocol. Images are ``(height, width, channels)`` arrays, RGB where
they have three channels; batches are ``(rows, channels, height, width)``; sizes are ``(height, width)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaven.protocols.data import Cache, Dataset, Engine, Job, Pass, Sampler
from leaven.protocols.images import Decoded, Decoder, DecodeRequest, Drawing, Drawn, ImageInfo, Op, Region, Rng
from leaven.protocols.stream import Augmenter, Channel, Collator, Feed, Transport, Worker
from leaven.protocols.training import Hook, Logger, Loss, Metric, Model, OptimizerFactory, Policy, Trainer

if TYPE_CHECKING:
    import click

    Command = click.Command

__all__ = [
    "Augmenter",
    "Cache",
    "Channel",
    "Collator",
    "Dataset",
    "DecodeRequest",
    "Decoded",
    "Decoder",
    "Drawing",
    "Drawn",
    "Engine",
    "Feed",
    "Hook",
    "ImageInfo",
    "Job",
    "Logger",
    "Loss",
    "Metric",
    "Model",
    "Op",
    "OptimizerFactory",
    "Pass",
    "Policy",
    "Region",
    "Rng",
    "Sampler",
    "Trainer",
    "Transport",
    "Worker",
]
