"""Plugin: JPEGs by simplejpeg, which brings its own libjpeg-turbo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.decoders.simplejpeg.decoder import SimpleJPEGDecoder as SimpleJPEGDecoder


@hookimpl
def leaven_decoders() -> Iterable[Component]:
    """Declare ``decoder:simplejpeg``."""
    yield Component(
        "simplejpeg",
        "leaven_plugins.decoders.simplejpeg.decoder:SimpleJPEGDecoder",
        "JPEG (reduced to n/8 while decoding) by simplejpeg, everything else by another decoder",
        extra="leaven[simplejpeg]",
    )


def __getattr__(name: str) -> Any:
    if name == "SimpleJPEGDecoder":
        from leaven_plugins.decoders.simplejpeg.decoder import SimpleJPEGDecoder

        return SimpleJPEGDecoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
