"""Plugin: patches of images, and negatives."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:patches``."""
    yield Component("patches", "leaven_acme.patches:PatchWorker", "a grid of patches of each image")


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:invert``."""
    yield Component("invert", "leaven_acme.invert:Invert", "a negative, now and then")
