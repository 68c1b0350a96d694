"""Video: the traces that video compression leaves in a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import MissingPackageError, ParameterError, suggestion
from leaven_plugins.ops.depth import from_unit, prepared, to_unit
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]

CODECS = ("mpeg4", "h264", "vp9", "av1")


@dataclass(frozen=True)
class Video(NumberOp):
    """Shows what a video leaves of a sequence; for ``Compose``. A single image is a video of one frame.

    It reads ``video``: the bit rate in bits per second. Its own draw is used where the RNG gives none. Frames have one
    or three channels; what has not 8 bits has only as much as 8 bits hold after it. Needs PyAV (``leaven[video]``).

    Args:
        video_range: of the bit rate.
        codec: ``"mpeg4"``, ``"h264"``, ``"vp9"`` or ``"av1"``.
        fps: frames per second.
        prob: how often.

    Raises:
        ParameterError: the range is not two numbers of 1000 or more, ``fps`` is below 1, there is no such codec, or
            ``prob`` is not within 0 and 1.
    """

    name: ClassVar = "video"
    keys: ClassVar[tuple[str, ...]] = ("video",)
    lowest: ClassVar = 1000
    whole: ClassVar = True

    video_range: Range | None = None
    codec: str = "h264"
    fps: int = 25
    prob: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.codec not in CODECS:
            hint = suggestion(self.codec, CODECS)
            raise ParameterError(f"codec is {self.codec!r}{hint}; it has to be one of {', '.join(CODECS)}")
        if self.fps < 1:
            raise ParameterError(f"fps is {self.fps!r}; it has to be at least 1")

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image as the only frame of a video; see :meth:`apply_frames`."""
        return self.apply_frames([image], values, random)[0]

    def apply_frames(
        self, frames: Sequence[Image], values: Mapping[str, Any], random: np.random.Generator
    ) -> list[Image]:
        """Return as many frames, as they are read from the video; ``random`` is not used.

        Raises:
            ImageError: frames differ in size, have not one or three channels, or the codec refuses them.
            MissingPackageError: PyAV is not installed.
        """
        try:
            from leaven_plugins.ops.video.codec import through_video
        except ModuleNotFoundError as error:
            raise MissingPackageError("op:video needs PyAV; to install it: pip install 'leaven[video]'") from error
        images = [prepared(frame) for frame in frames]
        if len({image.shape for image in images}) > 1 or images[0].shape[2] not in (1, 3):
            shapes = ", ".join(sorted({str(image.shape) for image in images}))
            raise ImageError(f"frames of {shapes}; a video has frames of one size, and one or three channels")
        rgb = [np.broadcast_to(_bytes(image), (*image.shape[:2], 3)) for image in images]
        shown = through_video(rgb, self.codec, self.fps, self.value(values))
        return [_like(image, frame) for image, frame in zip(images, shown, strict=True)]


def _bytes(image: Image) -> Image:
    return image if image.dtype == np.uint8 else from_unit(to_unit(image), np.dtype(np.uint8))


def _like(image: Image, frame: Image) -> Image:
    channels = frame[:, :, 1:2] if image.shape[2] == 1 else frame
    return channels if image.dtype == np.uint8 else from_unit(to_unit(channels), image.dtype)
