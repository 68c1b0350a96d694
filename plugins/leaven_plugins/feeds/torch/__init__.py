"""Plugin: batches as torch tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.feeds.torch.feed import TorchFeed as TorchFeed
    from leaven_plugins.feeds.torch.loader import TorchTurboDataLoader as TorchTurboDataLoader
    from leaven_plugins.feeds.torch.shared import shared_tensor as shared_tensor


@hookimpl
def leaven_feeds() -> Iterable[Component]:
    """Declare ``feed:torch``."""
    yield Component(
        "torch",
        "leaven_plugins.feeds.torch.feed:TorchFeed",
        "torch tensors: views on the CPU, copies beside the computation on CUDA devices",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "TorchFeed":
        from leaven_plugins.feeds.torch.feed import TorchFeed

        return TorchFeed
    if name == "TorchTurboDataLoader":
        from leaven_plugins.feeds.torch.loader import TorchTurboDataLoader

        return TorchTurboDataLoader
    if name == "shared_tensor":
        from leaven_plugins.feeds.torch.shared import shared_tensor

        return shared_tensor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
