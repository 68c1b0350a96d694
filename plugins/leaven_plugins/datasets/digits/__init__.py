"""Plugin: 1,797 real handwritten digits, which are part of the package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.digits.dataset import DigitsDataset as DigitsDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:digits``."""
    yield Component(
        "digits", "leaven_plugins.datasets.digits.dataset:DigitsDataset", "1,797 handwritten digits of 8 x 8 pixels"
    )


def __getattr__(name: str) -> Any:
    if name == "DigitsDataset":
        from leaven_plugins.datasets.digits.dataset import DigitsDataset

        return DigitsDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
