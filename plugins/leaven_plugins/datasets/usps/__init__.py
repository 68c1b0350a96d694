"""Plugin: handwritten digits, 16 x 16."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.usps.dataset import Usps as Usps


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:usps``."""
    yield Component(
        "usps",
        "leaven_plugins.datasets.usps.dataset:Usps",
        "handwritten digits, 16 x 16",
        extra="leaven[standard]",
    )


def __getattr__(name: str) -> Any:
    if name == "Usps":
        from leaven_plugins.datasets.usps.dataset import Usps

        return Usps
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
