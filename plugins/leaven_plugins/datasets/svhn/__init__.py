"""Plugin: house numbers, 32 x 32."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.svhn.dataset import Svhn as Svhn


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:svhn``."""
    yield Component(
        "svhn",
        "leaven_plugins.datasets.svhn.dataset:Svhn",
        "house numbers, 32 x 32",
        extra="leaven[standard]",
    )


def __getattr__(name: str) -> Any:
    if name == "Svhn":
        from leaven_plugins.datasets.svhn.dataset import Svhn

        return Svhn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
