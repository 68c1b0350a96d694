"""Plugin: image files by OpenCV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder as OpenCVDecoder


@hookimpl
def leaven_decoders() -> Iterable[Component]:
    """Declare ``decoder:opencv``."""
    yield Component(
        "opencv",
        "leaven_plugins.decoders.opencv.decoder:OpenCVDecoder",
        "JPEG (reduced while decoding), PNG, BMP, GIF, WebP and TIFF by OpenCV",
    )


def __getattr__(name: str) -> Any:
    if name == "OpenCVDecoder":
        from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder

        return OpenCVDecoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
