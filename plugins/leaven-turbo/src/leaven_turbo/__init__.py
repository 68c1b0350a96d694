"""Plugin: JPEGs by libjpeg-turbo, decoded only as far as the augmentation needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_turbo.decoder import TurboDecoder as TurboDecoder


@hookimpl
def leaven_decoders() -> Iterable[Component]:
    """Declare ``decoder:turbo``."""
    yield Component(
        "turbo",
        "leaven_turbo.decoder:TurboDecoder",
        "JPEG by libjpeg-turbo: only the part and the resolution that are needed, straight into the batch",
    )


def __getattr__(name: str) -> Any:
    if name == "TurboDecoder":
        from leaven_turbo.decoder import TurboDecoder

        return TurboDecoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
