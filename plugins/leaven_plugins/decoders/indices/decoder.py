"""IndexDecoder: masks, whose palettes are there to be looked at and whose numbers count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leaven.errors import DecodeError
from leaven.protocols import Decoded, Decoder, ImageInfo, Region
from leaven_plugins.decoders.indices.palette import as_numbers, has_palette


class IndexDecoder:
    """PNG files with a palette become the numbers of their colours; everything else is another decoder's.

    Args:
        decoder: reads everything else, and the numbers, out of a grey PNG file that is made for it.
    """

    def __init__(self, decoder: Decoder | str = "opencv") -> None:
        self._decoder: Decoder = _made(decoder)

    def info(self, data: bytes) -> ImageInfo:
        """Return what the header says: one channel where there is a palette.

        Raises:
            DecodeError: as the other decoder.
        """
        info = self._decoder.info(data)
        return info._replace(channels=1) if has_palette(data) else info

    def decode(
        self, data: bytes, *, color: bool = True, region: Region | None = None, min_scale: float = 1.0
    ) -> Decoded:
        """Return what the other decoder does; with ``color=False``, a palette's numbers, uint8 ``(height, width, 1)``.

        Raises:
            DecodeError: as the other decoder, or the file is damaged between its parts.
        """
        if color or not has_palette(data):
            return self._decoder.decode(data, color=color, region=region, min_scale=min_scale)
        try:
            grey, step = as_numbers(data)
        except ValueError as error:
            raise DecodeError(f"png image with a palette cannot be decoded: {error}") from error
        decoded = self._decoder.decode(grey, color=False, region=region, min_scale=min_scale)
        return decoded if step == 1 else decoded._replace(image=decoded.image // np.uint8(step))


def _made(decoder: Any) -> Any:
    """Return a decoder that was named; ``leaven.create`` has made it before."""
    if not isinstance(decoder, (str, Mapping)):
        return decoder
    from leaven import create

    return create(decoder, kind="decoder")
