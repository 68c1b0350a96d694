"""Plugin: a dataset that has an address, copied to this machine when it is first read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.remote.dataset import RemoteDataset as RemoteDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:remote``."""
    yield Component(
        "remote",
        "leaven_plugins.datasets.remote.dataset:RemoteDataset",
        "a dataset that has an address, copied to this machine when it is first read",
    )


def __getattr__(name: str) -> Any:
    if name == "RemoteDataset":
        from leaven_plugins.datasets.remote.dataset import RemoteDataset

        return RemoteDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
