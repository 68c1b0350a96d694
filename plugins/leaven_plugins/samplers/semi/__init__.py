"""Plugin: samples with and without a label by turns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.semi.sampler import Semi as Semi


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:semi``."""
    yield Component("semi", "leaven_plugins.samplers.semi.sampler:Semi", "samples with and without a label by turns")


def __getattr__(name: str) -> Any:
    if name == "Semi":
        from leaven_plugins.samplers.semi.sampler import Semi

        return Semi
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
