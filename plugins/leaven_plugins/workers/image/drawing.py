"""Easel: crops that a decoder puts straight into their places, without a picture in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError
from leaven.protocols import Decoded, Decoder, Drawing, Drawn, Region
from leaven.stream.buffers import BufferSpec
from leaven.stream.worker import Request, Row
from leaven_plugins.decoders.each import decode_each, has_own_way
from leaven_plugins.ops.interpolation import AREA, CUBIC, LINEAR, NEAREST, interpolation
from leaven_plugins.ops.rendering import per_channel

if TYPE_CHECKING:
    from leaven_plugins.workers.image.worker import Shot

Image = NDArray[Any]

_CACHE = 2_500_000
"""Bytes of images that ops are still to change: as many as stay in the processor's cache."""
_MOST = 16
"""Images that are drawn at a time, at most."""

_METHODS = (NEAREST, LINEAR, CUBIC, AREA)


class Finished(Decoded):
    """Pixels as the target shows them: geometry is done."""

    __slots__ = ()


class Placed(Finished):
    """Pixels that are in the batch already, and stay as they are."""

    __slots__ = ()


class Sketch(NamedTuple):
    """How an image is to be drawn: the number of the interpolation, and four values of the background."""

    method: int
    background: tuple[float, ...]


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
        planned: some of its rows; no more than the easel's ``chunk``.
        decoder: makes what is not drawn.
        easel: draws what it can; ``None``: nothing is drawn.
        is_final: whether nothing is left to be done to an image once it is drawn.
    """
    if easel is None:
        yield from _decoded(request, planned, decoder)
        return
    drawn = easel.draw(request, [each for each in planned if each.shot.sketch is not None], is_final)
    rest = _decoded(request, [each for each in planned if each.place not in drawn], decoder)
    for each in planned:
        yield (each, drawn[each.place]) if each.place in drawn else next(rest)


def chunks(planned: Iterator[Planned], size: int) -> Iterator[list[Planned]]:
    """Yield lists of up to ``size``."""
    while chunk := list(islice(planned, size)):
        yield chunk


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
        self.chunk = min(max(_CACHE // (channels * height * width), 1), _MOST)
        self._channels = channels
        self._background = per_channel(background, channels)
        self._canvas = np.empty((self.chunk, height, width, channels), np.uint8)

    @staticmethod
    def fits(decoder: Decoder, spec: BufferSpec) -> bool:
        """Return whether a decoder can draw into rows of this kind."""
        return has_own_way(decoder, "draw_batch") and spec.dtype == np.uint8 and spec.shape[0] in (1, 3)

    def sketch(self, matrix: NDArray[np.float64], color: bool, values: Mapping[str, Any]) -> Sketch | None:
        """Return how it draws what is asked for; ``None`` where it cannot: a rotation, a shear, another method.

        Such a request needs no region, which takes 12 us to find: should the decoder leave it to others after all,
        these decode the whole image.

        Raises:
            ImageError: the background does not fit the channels, or there is no such interpolation.
        """
        (_, skew, _), (slant, _, _) = matrix.tolist()
        method = interpolation(values.get("interp_method", LINEAR))
        if not skew == 0 == slant or color != (self._channels == 3) or method not in _METHODS:
            return None
        if "background" in values:
            return Sketch(method, per_channel(values["background"], self._channels))
        return Sketch(method, self._background)

    def draw(
        self, request: Request, chunk: Sequence[Planned], is_final: Callable[[Shot], bool]
    ) -> dict[int, Finished | Exception]:
        """Draw up to ``chunk`` images; return what became of them, by place, without those that it leaves to others.

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
        drawings = [_drawing(planned, row) for planned, row in zip(chunk, rows, strict=True)]
        request.doing(drawings[0].sample, "decode")
        results = self._results(drawings, out, request.progress)
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

    def _results(
        self, drawings: Sequence[Drawing], out: Image, progress: memoryview | None
    ) -> Sequence[Drawn | Exception | None]:
        try:
            results = list(self._draw(drawings, out, progress))
        except MemoryError:
            raise
        except Exception as error:
            return [error] * len(drawings)
        if len(results) != len(drawings):
            wrong = DecodeError(f"the decoder gave {len(results)} images of a batch of {len(drawings)}")
            return [wrong] * len(drawings)
        return results


def _drawing(planned: Planned, row: int) -> Drawing:
    shot = planned.shot
    assert shot.sketch is not None
    return Drawing(shot.request, shot.matrix, row, planned.row.index, *shot.sketch)
