"""Codec: frames to a video in memory, and back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.errors import ImageError

Image = NDArray[Any]

_ENCODERS = {"mpeg4": "mpeg4", "h264": "libx264", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
_CONTAINER = "matroska"  # which holds all of them

os.environ.setdefault("SVT_LOG", "0")  # the AV1 encoder writes 20 lines to standard error for each video otherwise


def through_video(frames: Sequence[Image], codec: str, fps: int, bit_rate: int) -> list[Image]:
    """Return RGB frames of one size and 8 bits after they were a video.

    Args:
        frames: ``(height, width, 3)`` uint8 each; not changed.
        codec: ``"mpeg4"``, ``"h264"``, ``"vp9"`` or ``"av1"``.
        fps: frames per second.
        bit_rate: in bits per second.

    Raises:
        ImageError: the codec refuses them.
    """
    height, width = frames[0].shape[:2]
    try:
        shown = _decoded(_encoded(frames, codec, fps, bit_rate))
    except (av.error.FFmpegError, ValueError) as error:
        raise ImageError(f"{codec} cannot store frames of {height} x {width} pixels: {error}") from error
    if len(shown) != len(frames):
        raise ImageError(f"{codec} has made {len(shown)} frames of {len(frames)}")
    return [frame[:height, :width] for frame in shown]


def _encoded(frames: Sequence[Image], codec: str, fps: int, bit_rate: int) -> bytes:
    file = BytesIO()
    with av.open(file, "w", _CONTAINER) as container:
        stream: Any = container.add_stream(_ENCODERS[codec], rate=Fraction(fps))
        height, width = frames[0].shape[:2]
        stream.height, stream.width = height + height % 2, width + width % 2  # colours have half the resolution
        stream.pix_fmt, stream.bit_rate = "yuv420p", bit_rate
        stream.codec_context.thread_count = 1  # with several, the result is not the same each time
        for frame in frames:
            even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def _decoded(data: bytes) -> list[Image]:
    with av.open(BytesIO(data), "r", _CONTAINER) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
