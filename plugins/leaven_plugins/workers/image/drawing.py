"""Easel: crops that a decoder puts straight into their places, without a picture in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.protocols import Decoded, Decoder, Drawing, Drawn, Region
from leaven.stream.buffers import BufferSpec
from leaven.stream.worker import Request, Row
from leaven_plugins.decoders.each import decode_each
from leaven_plugins.ops.interpolation import AREA, CUBIC, LINEAR, NEAREST, interpolation
from leaven_plugins.ops.rendering import per_channel

if TYPE_CHECKING:
    from leaven_plugins.workers.image.worker import Shot

Image = NDArray[Any]

CHUNK = 16
"""Images that are drawn at a time: those that ops are still to change stay in the processor's cache (2.4 MB)."""

_METHODS = (NEAREST, LINEAR, CUBIC, AREA)


class Finished(Decoded):
    """Pixels as the target shows them: geometry is done."""

    __slots__ = ()


class Placed(Finished):
    """Pixels that are in the batch already, and stay as they are."""

    __slots__ = ()


class Planned(NamedTuple):
    """A row that is to be made: its place in the batch, its sample, and what is to be seen of it."""

    place: int
    sample: Mapping[str, Any]
    row: Row
    shot: Shot


def pictured(
    request: Request,
    planned: Sequence[Planned],
    decoder: Decoder,
    easel: Easel | None,
    is_final: Callable[[Shot], bool],
) -> Iterator[tuple[Planned, Decoded | Exception]]:
    """Yield all that are planned, in order, with their pixels or with the error that there is in place of these.

    Args:
        request: what they belong to.
        planned: some of its rows; no more than ``CHUNK`` where there is an easel.
        decoder: makes what is not drawn.
        easel: draws what it can; ``None``: nothing is drawn.
        is_final: whether nothing is left to be done to an image once it is drawn.
    """
    if easel is None:
        yield from _decoded(request, planned, decoder)
        return
    drawn = easel.draw(request, [each for each in planned if _is_drawn(each.shot, easel)], is_final)
    rest = _decoded(request, [each for each in planned if each.place not in drawn], decoder)
    for each in planned:
        yield (each, drawn[each.place]) if each.place in drawn else next(rest)


def chunks(planned: Iterator[Planned], size: int) -> Iterator[list[Planned]]:
    """Yield lists of up to ``size``."""
    while chunk := list(islice(planned, size)):
        yield chunk


def _is_drawn(shot: Shot, easel: Easel) -> bool:
    return shot.supersampling is None and easel.takes(shot.matrix, shot.request.color, shot.values)


def _decoded(
    request: Request, planned: Sequence[Planned], decoder: Decoder
) -> Iterator[tuple[Planned, Decoded | Exception]]:
    decoded = decode_each(decoder, [each.shot.request for each in planned])
    for each in planned:
        request.doing(each.row.index, "decode")
        yield each, next(decoded)


class Easel:
    """Draws for one worker.

    Args:
        decoder: one with ``draw_batch``.
        spec: of the worker's buffer ``image``.
        background: of images where their values have none.
    """

    def __init__(self, decoder: Any, spec: BufferSpec, background: Any) -> None:
        self._draw = decoder.draw_batch
        channels, height, width = spec.shape
        self._channels = channels
        self._background = per_channel(background, channels)
        self._canvas = np.empty((CHUNK, height, width, channels), np.uint8)

    @staticmethod
    def fits(decoder: Any, spec: BufferSpec) -> bool:
        """Return whether a decoder can draw into rows of this kind."""
        return hasattr(decoder, "draw_batch") and spec.dtype == np.uint8 and spec.shape[0] in (1, 3)

    def takes(self, matrix: NDArray[np.float64], color: bool, values: Mapping[str, Any]) -> bool:
        """Return whether it draws what is asked for: no rotation, no shear, a method that it has.

        Such a request needs no region, which takes 12 us to find: should the decoder leave it to others after all,
        these decode the whole image.
        """
        (_, skew, _), (slant, _, _) = matrix.tolist()
        return bool(
            skew == 0 == slant
            and color == (self._channels == 3)
            and interpolation(values.get("interp_method", LINEAR)) in _METHODS
        )

    def draw(
        self, request: Request, chunk: Sequence[Planned], is_final: Callable[[Shot], bool]
    ) -> dict[int, Finished | Exception]:
        """Draw up to ``CHUNK`` images; return what became of them, by place, without those that it leaves to others.

        Those that are final go straight into the request's array, the others elsewhere until the next call.
        """
        rows = request.arrays["image"].transpose(0, 2, 3, 1)
        final = [each for each in chunk if is_final(each.shot)]
        others = [each for each in chunk if not is_final(each.shot)]
        found = self._drawn(request, final, rows, [each.place for each in final], Placed)
        return found | self._drawn(request, others, self._canvas, range(len(others)), Finished)

    def _drawn(
        self, request: Request, chunk: Sequence[Planned], out: Image, rows: Sequence[int], kind: type[Finished]
    ) -> dict[int, Finished | Exception]:
        if not chunk:
            return {}
        drawings = [self._drawing(planned, row) for planned, row in zip(chunk, rows, strict=True)]
        request.doing(drawings[0].sample, "decode")
        results = self._draw(drawings, out, request.progress)
        if request.progress is None and isinstance(results[-1], Drawn):
            request.doing(drawings[-1].sample, "geometry", monotonic_ns() - results[-1].resampling_ns)
        found: dict[int, Finished | Exception] = {}
        for planned, row, result in zip(chunk, rows, results, strict=True):
            if isinstance(result, Drawn):
                size = planned.shot.info
                found[planned.place] = kind(out[row], Region(0, 0, size.height, size.width), 1.0)
            elif result is not None:
                found[planned.place] = result
        return found

    def _drawing(self, planned: Planned, row: int) -> Drawing:
        shot = planned.shot
        values, background = shot.values, self._background
        if "background" in values:
            background = per_channel(values["background"], self._channels)
        method = interpolation(values.get("interp_method", LINEAR))
        return Drawing(shot.request, shot.matrix, row, planned.row.index, method, background)
