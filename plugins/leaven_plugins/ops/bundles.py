"""Bundles: one image, a sequence or parallel sequences, all as named lists of frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.errors import ImageError

Image = NDArray[Any]
Frames = list[Image]
Restore = Callable[[Frames], Any]

_ENCODED = (bytes, bytearray, memoryview)


class Bundle(NamedTuple):
    """Streams of frames, ``(height, width, channels)`` each, and how to give them back as they were given."""

    streams: dict[str, Frames]
    restore: Callable[[Mapping[str, Frames]], Any]


def bundled(images: Any, decode: Callable[[bytes], Image]) -> Bundle:
    """Return images as named streams of as many frames each.

    Args:
        images: an image; a sequence of them, as a list or as an array of four axes; or several of these, as a mapping
            by names or as a list of lists, whose names are then ``"0"``, ``"1"``, ... An image is an array of two or
            three axes, what numpy makes an array of, or the bytes of an image file.
        decode: from such bytes to an array.

    Raises:
        ImageError: there are no images, something is not one, or the numbers of frames differ.
    """
    if isinstance(images, Mapping):
        return _parallel({str(name): images[name] for name in images}, decode, lambda found: found)
    if _is_list(images) and images and all(_is_sequence(part) for part in images):
        named = {str(place): part for place, part in enumerate(images)}
        return _parallel(named, decode, lambda found: list(found.values()))
    frames, restore = _frames(images, decode)
    return Bundle({"": frames}, lambda streams: restore(streams[""]))


def _parallel(named: Mapping[str, Any], decode: Callable[[bytes], Image], wrap: Callable[[Any], Any]) -> Bundle:
    found = {name: _frames(value, decode) for name, value in named.items()}
    if not found:
        raise ImageError("there are no images")
    counts = {name: len(frames) for name, (frames, _) in found.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name!r} has {count}" for name, count in counts.items())
        raise ImageError(f"parallel streams have as many frames each, but {listed}")
    restores = {name: restore for name, (_, restore) in found.items()}
    return Bundle(
        {name: frames for name, (frames, _) in found.items()},
        lambda streams: wrap({name: restores[name](frames) for name, frames in streams.items()}),
    )


def _frames(value: Any, decode: Callable[[bytes], Image]) -> tuple[Frames, Restore]:
    if _is_list(value):
        if not value:
            raise ImageError("there are no images: the sequence is empty")
        found = [_frame(part, decode) for part in value]
        return [frame for frame, _ in found], lambda frames: [_as_given(frame, found[0][1]) for frame in frames]
    if _is_sequence(value):
        if not len(value):
            raise ImageError("there are no images: the sequence is empty")
        return list(value), np.stack
    frame, axes = _frame(value, decode)
    return [frame], lambda frames: _as_given(frames[0], axes)


def _frame(value: Any, decode: Callable[[bytes], Image]) -> tuple[Image, int]:
    """Return an image with three axes, and how many it had."""
    array = decode(bytes(value)) if isinstance(value, _ENCODED) else np.asarray(value)
    if array.ndim not in (2, 3) or array.dtype.kind not in "iuf":
        kind = type(value).__name__
        raise ImageError(f"an image is an array of 2 or 3 axes, or the bytes of a file, and not {kind} {array.shape}")
    return (array[:, :, None] if array.ndim == 2 else array), array.ndim


def _as_given(frame: Image, axes: int) -> Image:
    return frame[:, :, 0] if axes == 2 and frame.shape[2] == 1 else frame


def _is_sequence(value: Any) -> bool:
    return _is_list(value) or (isinstance(value, np.ndarray) and value.ndim == 4)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, *_ENCODED))
