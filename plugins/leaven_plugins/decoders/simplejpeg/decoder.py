"""SimpleJPEGDecoder: ordinary JPEGs to pixels by simplejpeg, everything else by another decoder."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import cast

import simplejpeg

from leaven.protocols import Decoded, Decoder, ImageInfo, Region

_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class SimpleJPEGDecoder:
    """Ordinary JPEGs, whole; what is anything else is left to ``fallback``, and so is what simplejpeg refuses.

    Args:
        fallback: reads all headers and keeps the limits; decodes other formats, turned JPEGs and those of CMYK or
            damaged data, about which it then says what is wrong.
    """

    fallback: Decoder | str = "opencv"

    def info(self, data: bytes) -> ImageInfo:
        """Return what the header says.

        Raises:
            DecodeError: as the fallback.
        """
        return self._other.info(data)

    def decode(
        self, data: bytes, *, color: bool = True, region: Region | None = None, min_scale: float = 1.0
    ) -> Decoded:
        """Return the whole image at the smallest n/8 that is at least ``min_scale``.

        Raises:
            DecodeError: as the fallback.
        """
        info = self._other.info(data)
        if not data.startswith(_JPEG) or info.orientation != 1 or info.channels not in (1, 3):
            return self._other.decode(data, color=color, region=region, min_scale=min_scale)
        gray = info.channels == 1 and not color
        try:
            image = simplejpeg.decode_jpeg(
                data,
                colorspace="GRAY" if gray else "RGB",
                min_height=ceil(info.height * min_scale),
                min_width=ceil(info.width * min_scale),
            )
        except ValueError:
            return self._other.decode(data, color=color, region=region, min_scale=min_scale)
        return Decoded(image, Region(0, 0, info.height, info.width), image.shape[0] / info.height)

    @property
    def _other(self) -> Decoder:
        return cast(Decoder, self.fallback)
