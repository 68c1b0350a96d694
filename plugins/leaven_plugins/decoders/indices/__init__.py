"""Plugin: masks, with palettes kept as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.decoders.indices.decoder import IndexDecoder as IndexDecoder


@hookimpl
def leaven_decoders() -> Iterable[Component]:
    """Declare ``decoder:indices``."""
    yield Component(
        "indices",
        "leaven_plugins.decoders.indices.decoder:IndexDecoder",
        "PNG files with a palette as numbers of colours, everything else by another decoder",
    )


def __getattr__(name: str) -> Any:
    if name == "IndexDecoder":
        from leaven_plugins.decoders.indices.decoder import IndexDecoder

        return IndexDecoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
