"""Plugin: packed samples in one file, in the format of datadings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset as MsgpackDataset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:msgpack``."""
    yield Component(
        "msgpack",
        "leaven_plugins.datasets.msgpack.dataset:MsgpackDataset",
        "packed samples in one file with an index beside it (datadings' format)",
    )


def __getattr__(name: str) -> Any:
    if name == "MsgpackDataset":
        from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset

        return MsgpackDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
