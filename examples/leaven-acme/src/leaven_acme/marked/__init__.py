"""Plugin: another worker for classification, in place of the built-in one."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:classification``."""
    yield Component(
        "classification",
        "leaven_acme.marked.worker:MarkedClassificationWorker",
        "images with one label each, marked as made here",
        replaces="classification",
    )
