"""Plugin: traces of video compression."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.video.op import Video as Video


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:video``."""
    yield Component(
        "video",
        "leaven_plugins.ops.video.op:Video",
        "through a video of drawn bit rate: MPEG-4, H.264, VP9 or AV1",
        extra="leaven[video]",
    )


def __getattr__(name: str) -> Any:
    if name == "Video":
        from leaven_plugins.ops.video.op import Video

        return Video
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
