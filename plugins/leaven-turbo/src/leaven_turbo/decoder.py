"""TurboDecoder: the part of a JPEG that is needed, at the resolution that is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError, ParameterError
from leaven.protocols import Decoded, Decoder, DecodeRequest, Drawing, Drawn, ImageInfo, Region
from leaven_turbo import _native

WAYS = ("indexed", "by restart markers", "by walking", "plainly")
"""How the needed part of a file was got at, by the numbers that ``_native.draw`` returns."""

_JPEG = b"\xff\xd8\xff"
_LINEAR = 1
_WIDTH = 11
"""How many numbers ``_native.draw`` takes of each image."""
_MOST_PIXELS = 65_535**2
_STEPS = (1, 2, 4)  # eighths that libjpeg's fast inverse transforms offer, besides all of them


class _Outcome(NamedTuple):
    """What ``_native.draw`` says of one image: ``status`` is ``""`` where it was drawn."""

    status: str
    way: int
    refused_index: int
    resampling_ns: int
    text: str


@dataclass(frozen=True)
class TurboDecoder:
    """JPEGs: of each only what is needed is decoded, at 1/8, 2/8, 4/8 or all of its resolution.

    Of what has restart markers, or an index beside it, just the parts that a crop touches are read; in other baseline
    files the codes before these are stepped over, which takes 60 % of the time that decoding them does; progressive
    ones are decoded as a whole, by libjpeg-turbo. All ways give the same pixels. What this decoder cannot do (other
    formats, CMYK, 12 bits, arithmetic coding, damaged files) it leaves to ``fallback``; of JPEGs that is counted. EXIF
    orientation is applied. A copy, or what is unpickled, counts from nothing.

    Args:
        max_pixels: an image of more pixels, by its header, is refused before memory is allocated for it.
        fallback: decodes everything else, and decides what is an error.

    Raises:
        ParameterError: ``max_pixels`` is no positive number, or there is no ``fallback``.
    """

    max_pixels: int = 178_956_970
    fallback: Decoder | str = "opencv"
    _counts: Tally = field(default_factory=lambda: Tally(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.max_pixels) is not int or not 0 < self.max_pixels <= _MOST_PIXELS:
            raise ParameterError(f"max_pixels is {self.max_pixels!r}; it has to be a number from 1 to {_MOST_PIXELS}")
        if self.fallback is None:
            raise ParameterError("fallback is None; it has to be a decoder, such as 'opencv'")
        if isinstance(self.fallback, str):  # made by hand, and not by leaven.create
            from leaven import create

            object.__setattr__(self, "fallback", create(self.fallback, kind="decoder"))

    def info(self, data: bytes) -> ImageInfo:
        """Return what the header says; ``channels`` are those of ``decode(color=False)``.

        Raises:
            DecodeError: empty, unknown, cut off within the header, or over ``max_pixels``.
        """
        if _is_jpeg(data):
            try:
                height, width, channels, orientation, supported, *_ = _native.info(data)
            except _native.JpegError:
                pass  # the fallback says what is wrong, or reads it nevertheless
            else:
                if supported and height * width <= self.max_pixels:
                    return ImageInfo(height, width, channels, orientation)
        return self._other.info(data)

    def decode(
        self, data: bytes, *, color: bool = True, region: Region | None = None, min_scale: float = 1.0
    ) -> Decoded:
        """Return the region (default: all of the image), and up to 7 pixels more where it is reduced.

        ``color=True`` gives uint8 RGB; ``color=False`` one channel of grey files, else RGB. The returned region may
        begin before 0, by less than one reduced pixel.

        Raises:
            DecodeError: as :meth:`info`, or the pixels are cut off or damaged.
        """
        return self._decoded(DecodeRequest(data, color, region, min_scale))

    def decode_batch(self, requests: Sequence[DecodeRequest]) -> Iterator[Decoded | DecodeError]:
        """Yield what :meth:`decode` returns of each, or the error in its place; indices that there are help."""
        for request in requests:
            try:
                yield self._decoded(request)
            except DecodeError as error:
                yield error

    def draw_batch(
        self, drawings: Sequence[Drawing], out: NDArray[np.uint8], progress: memoryview | None = None
    ) -> list[Drawn | DecodeError | None]:
        """Draw crops into rows of ``out``, without Python between them; ``None`` for what has to be decoded otherwise.

        Args:
            drawings: what is wanted, and where.
            out: ``(rows, height, width, 1 or 3)``, with any strides.
            progress: three words of 64 bits: 1 + sample, anything, ns of the monotonic clock.
        """
        found: list[Drawn | DecodeError | None] = [None] * len(drawings)
        places = [place for place, drawing in enumerate(drawings) if _is_jpeg(drawing.request.data)]
        chosen = [drawings[place] for place in places]
        numbers = np.array([_numbers(drawing) for drawing in chosen], np.float64).reshape(-1, _WIDTH)
        samples = np.array([drawing.sample for drawing in chosen], np.int64)
        jpegs = [drawing.request.data for drawing in chosen]
        indices = [drawing.request.index for drawing in chosen]
        outcomes = _native.draw(jpegs, indices, numbers, out, self.max_pixels, samples, progress)
        counts: Counter[str] = Counter()
        for place, outcome in zip(places, map(_Outcome._make, outcomes), strict=True):
            if not outcome.status:  # others are counted when they are decoded
                found[place] = Drawn(outcome.resampling_ns)
                counts.update(_names(outcome))
        self._counts.add(counts)
        return found

    def tally(self) -> dict[str, int]:
        """Return how many images were drawn in which way, or left to the fallback and why, since the last call."""
        return self._counts.taken()

    @property
    def _other(self) -> Decoder:
        assert not isinstance(self.fallback, str)
        return self.fallback

    def _decoded(self, request: DecodeRequest) -> Decoded:
        decoded = self._cut_out(request) if _is_jpeg(request.data) else None
        if decoded is not None:
            return decoded
        data, color, region, min_scale, _ = request
        return self._other.decode(data, color=color, region=region, min_scale=min_scale)

    def _cut_out(self, request: DecodeRequest) -> Decoded | None:
        """Return what is asked for, or ``None`` where it is left to the fallback."""
        data, color, region, min_scale, index = request
        info = self.info(data)
        scale = next((step / 8 for step in _STEPS if step / 8 >= min_scale), 1.0)
        rows, columns = _stretch(info, region or Region(0, 0, info.height, info.width), scale)
        size = round((rows[1] - rows[0]) * scale), round((columns[1] - columns[0]) * scale)
        if min(size) < 1:
            raise DecodeError(f"the region {region} has no pixels")
        image = np.empty((1, *size, 3 if color else info.channels), np.uint8)
        numbers = np.array([[columns[0], 1 / scale, rows[0], 1 / scale, scale, _LINEAR, 0, 0, 0, 1, 0]], np.float64)
        (found,) = _native.draw([data], [index], numbers, image, self.max_pixels, None, None)
        outcome = _Outcome(*found)
        if outcome.status == "memory":
            raise MemoryError(outcome.text)
        self._counts.add(Counter(_names(outcome)))
        if outcome.status:
            return None
        ends = min(rows[1], info.height), min(columns[1], info.width)
        return Decoded(image[0], Region(rows[0], columns[0], *ends), scale)


class Tally:
    """Counts that several threads add to; what is copied or pickled begins anew."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def __reduce__(self) -> tuple[type[Tally], tuple[()]]:
        """Leave counts and lock behind: they are of this process, and of this decoder."""
        return Tally, ()

    def add(self, counts: Counter[str]) -> None:
        """Add all of them."""
        with self._lock:
            self._counts.update(counts)

    def taken(self) -> dict[str, int]:
        """Return what was added since the last call."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return dict(counts)


def _names(outcome: _Outcome) -> list[str]:
    """Return what is counted of an image."""
    refused = ["turbo: index refused"] if outcome.refused_index else []
    way = f"left to the fallback: {outcome.status}" if outcome.status else WAYS[outcome.way]
    return [*refused, f"turbo: {way}"]


def _is_jpeg(data: Any) -> bool:
    return isinstance(data, bytes) and data.startswith(_JPEG)


def _numbers(drawing: Drawing) -> tuple[float, ...]:
    """Return what ``_native.draw`` takes of one drawing, in its order."""
    (dx, _, x), (_, dy, y) = drawing.matrix.tolist()
    red, green, blue, *_ = drawing.background
    return x, dx, y, dy, drawing.request.min_scale, drawing.interpolation, red, green, blue, 0, drawing.row


def _stretch(info: ImageInfo, region: Region, scale: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and last of rows and of columns, grown to whole reduced pixels of the *stored* image."""
    step = round(1 / scale)
    stored_rows, stored_columns = _mirrored(info.orientation)
    return (
        _grown(region.top, region.bottom, info.height, step, stored_rows),
        _grown(region.left, region.right, info.width, step, stored_columns),
    )


def _grown(first: int, last: int, size: int, step: int, mirrored: bool) -> tuple[int, int]:
    """Round outwards to multiples of ``step``, which count from the other end where the axis is mirrored."""
    first, last = max(first, 0), min(last, size)
    if mirrored:
        first, last = size - last, size - first
    first, last = floor(first / step) * step, ceil(last / step) * step
    return (size - last, size - first) if mirrored else (first, last)


def _mirrored(orientation: int) -> tuple[bool, bool]:
    """Return whether rows and columns of the upright image run against those that are stored."""
    return orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
