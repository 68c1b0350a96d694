"""A configuration of a run that takes a second; what is missing is the worker."""

from __future__ import annotations

SMALL_RUN = """
[data.train]
use = "digits"
split = "val"
[data.val]
use = "digits"
split = "val"
val = 100
[loader]
batch_size = 64
nworkers = 0
shuffle = true
[model]
use = "tiny_mlp"
features = 64
classes = 10
[loss]
use = "cross_entropy"
[[metric]]
use = "accuracy"
[optimizer]
use = "adamw"
lr = 0.01
[policy]
use = "poly"
[train]
epochs = 3
"""
