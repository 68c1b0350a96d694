"""Plugin: samples within tar files, as webdataset has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.tar.dataset import TarDataset as TarDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:tar``."""
    yield Component(
        "tar",
        "leaven_plugins.datasets.tar.dataset:TarDataset",
        "samples within tar files, as webdataset has them",
    )


def __getattr__(name: str) -> Any:
    if name == "TarDataset":
        from leaven_plugins.datasets.tar.dataset import TarDataset

        return TarDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
