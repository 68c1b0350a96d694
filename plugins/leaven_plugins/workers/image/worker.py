"""ImageWorker: packed images to rows of a batch, augmented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError, ParameterError, SampleError, listing, suggestion
from leaven.protocols import Decoded, Decoder, DecodeRequest, ImageInfo, Op, Rng
from leaven.stream.buffers import BufferSpec, SpecLike
from leaven.stream.worker import BufferWorker, Request, Row, aligned, giving_up, opened, row_views
from leaven_plugins.decoders.each import decode_each
from leaven_plugins.ops.geometry import (
    Matrix,
    corner_transform,
    finest_ratio,
    make_transform,
    needed_region,
    pixel_ratio,
    supersampling_for,
)
from leaven_plugins.ops.interpolation import LINEAR, RADIUS, interpolation
from leaven_plugins.ops.rendering import view, view_transform, warp
from leaven_plugins.rngs.epochs import at_epoch
from leaven_plugins.rngs.fitting import check_fit
from leaven_plugins.workers.image.chain import OpChain
from leaven_plugins.workers.image.drawing import Easel, Finished, Placed, Planned, Sketch, chunks, pictured
from leaven_plugins.workers.image.parameters import GEOMETRY, check_params
from leaven_plugins.workers.image.pixels import with_channels, with_colorspace, write
from leaven_plugins.workers.image.process import settle
from leaven_plugins.workers.image.unencoded import file_of

Image = NDArray[Any]

DEFAULT_OPS = ("tone", "noise_rgb", "blur")


class Shot(NamedTuple):
    """What is to be seen of one image.

    ``info`` is its header, ``request`` what must be decoded for it, ``values`` are all its parameters, ``matrix`` leads
    from target to source pixels, ``supersampling`` is how many times larger a warp is made than its result, or ``None``
    for a view, ``sketch`` how a decoder draws that, if one does.
    """

    info: ImageInfo
    request: DecodeRequest
    values: dict[str, Any]
    matrix: Matrix
    supersampling: int | None
    sketch: Sketch | None = None


class ImageWorker(BufferWorker):
    """Decodes, transforms and augments one image for each row.

    For each sample the header is read, the parameters are drawn, only the part and the resolution that they need are
    decoded (as far as the decoder can), the geometry is applied, then the ops, then the colour space. The buffer
    ``image`` gets the channels one after the other; values stay 0 to 255 for images of 8 bits, in rows of floats too.
    The batch's list ``augmentation`` gets the parameters of each sample.

    Args:
        image: spec of the buffer ``image``, shape ``(channels, height, width)``. One channel: images become grey. Its
            fill value is the background of images, unless ``image_params`` has one.
        image_params: fixed parameters, which win over drawn ones: ``angle``, ``scale``, ``aspect``, ``shift``,
            ``hmirror``, ``vmirror``, ``shear``, ``scale_mode``, ``interp_method``, ``supersampling`` and ``background``
            as in :func:`~leaven_plugins.ops.randomize.randomize_image`; what ops read; ``color=False`` for grey (or,
            with four channels, for what the file holds); ``colorspace``, applied last: ``hsv``, ``hls``, ``lab``,
            ``ycrcb``, ``gray``; ``order`` of the ops.
        image_rng: draws the parameters; ``None`` for none.
        ops: run after the geometry, in the order that the draw asks for, or this one.
        decoder: turns the sample's bytes into pixels.
        source: the sample's key of the encoded image.
        gpu_augmentation: ``True`` leaves all ops to the device, names of ops leave these. Parameters are drawn all the
            same. What is left runs after the others; ops that are named, in this order where the draw asks for none.
            ``augmentation`` repeats it under its name, and has under ``cell`` the two numbers of
            :attr:`leaven.stream.worker.Row.cell`, which the device's noise is keyed by.
        exact: draw every image by a supersampled warp of all its pixels, as
            :func:`~leaven_plugins.ops.randomize.randomize_image` does. By default crops, scales and mirrors are made by
            resizing, which is several times faster and within one pixel of it. A fixed ``supersampling`` asks for the
            same.

    Raises:
        ParameterError: the buffer's shape, or a parameter, is not what it has to be.
    """

    draws: ClassVar = True
    """Whether decoders that can may draw images straight into their places, where :meth:`render` is not overridden.

    A subclass that needs the decoded pixels in :meth:`fill` says ``False``.
    """

    def __init__(
        self,
        image: SpecLike,
        image_params: Mapping[str, Any] | None = None,
        image_rng: Rng | str | None = None,
        ops: Sequence[Op | str] = DEFAULT_OPS,
        decoder: Decoder | str = "auto",
        source: str = "image",
        gpu_augmentation: bool | Sequence[str] = False,
        exact: bool = False,
    ) -> None:
        self.add_buffer("image", image)
        self.add_params("image", image_params)
        self._spec = _checked_spec(self.buffers["image"])
        self._size = self._spec.shape[1:]
        self._rng: Rng | None = made(image_rng, "rng")
        self._chain = OpChain(made(op, "op") for op in ops)
        self._decoder: Decoder = made(decoder, "decoder")
        self._source = source
        self._index = f"{source}_index"
        self._here = self._chain.without(gpu_augmentation)
        self._gpu_augmentation = gpu_augmentation if isinstance(gpu_augmentation, bool) else list(gpu_augmentation)
        self._exact = exact
        self._background = _background(self._spec)
        self._easel: Easel | None = None
        if self._may_draw() and not exact and Easel.fits(self._decoder, self._spec):
            self._easel = Easel(self._decoder, self._spec, self._background)
        check_params(self.params["image"], self._chain.keys, self._spec.shape[0])
        check_fit(self._rng, self.params["image"], self._chain.keys)

    def setup(self) -> None:
        """Set OpenCV up for a worker's process."""
        settle()

    def tally(self) -> Mapping[str, int]:
        """Return what the decoder has counted since the last call."""
        counts: Mapping[str, int] = getattr(self._decoder, "tally", dict)()
        return counts

    def process(self, request: Request) -> Mapping[str, Any]:
        """Fill the rows: plan some of them, then let the decoder work on these.

        A decoder that draws gets as many at a time as stay in the processor's cache, another one the whole batch.
        A subclass that defines :meth:`prepare` fills one row after the other instead.
        """
        if type(self).prepare is not ImageWorker.prepare:
            return super().process(request)
        rows: list[Row] = []
        for planned in chunks(self._planned(request, rows), self._chunk(request)):
            for (place, sample, row, shot), pixels in pictured(
                request, planned, self._decoder, self._easel, self._finished
            ):
                with giving_up(request, place, row):
                    if isinstance(pixels, Exception):
                        raise _undecodable(pixels) from pixels
                    row.doing = request.doing
                    self.fill(sample, row, row_views(request, place), shot, pixels)
        return {**request.arrays, **aligned(rows)}

    def prepare(self, sample: Mapping[str, Any], row: Row, buffers: Mapping[str, NDArray[Any]]) -> None:
        """Fill one row: :meth:`plan`, decode, :meth:`fill`."""
        shot = self.plan(sample, row)
        self.fill(sample, row, buffers, shot, self.decoded(shot))

    def plan(self, sample: Mapping[str, Any], row: Row) -> Shot:
        """Draw the parameters, and say which part of the image they need, at which scale.

        Raises:
            SampleError: there is no image, or its header cannot be read.
            ImageError: a parameter is out of range.
        """
        data, info = self.inspected(sample)
        index = sample.get(self._index)
        return self.shot(data, info, self.draw(info, row), index if isinstance(index, bytes) else None)

    def inspected(self, sample: Mapping[str, Any]) -> tuple[bytes, ImageInfo]:
        """Return the encoded image of a sample, and its header.

        Raises:
            SampleError: there is no image, or its header cannot be read.
        """
        data = encoded(sample, self._source)
        try:
            return data, self._decoder.info(data)
        except DecodeError as error:
            raise _undecodable(error) from error

    def decoded(self, shot: Shot) -> Decoded:
        """Return the pixels that a shot asks for.

        Raises:
            SampleError: they cannot be decoded.
        """
        return _next(decode_each(self._decoder, [shot.request]))

    def fill(
        self,
        sample: Mapping[str, Any],
        row: Row,
        buffers: Mapping[str, NDArray[Any]],
        shot: Shot,
        decoded: Decoded,
    ) -> None:
        """Fill ``image``, and append to ``augmentation``. What subclasses add to a row, they add here.

        The memory of ``decoded`` is used again for later rows: what is kept of it has to be copied.
        """
        self.paint(shot, decoded, row, buffers["image"])
        row.append("augmentation", self.record(shot.values, row))

    def paint(self, shot: Shot, decoded: Decoded, row: Row, out: NDArray[Any]) -> None:
        """Write the image, after geometry, ops and colour space, into ``out``, ``(channels, height, width)``."""
        if isinstance(decoded, Placed):
            return
        row.doing(row.index, "geometry")
        image = self.render(shot, decoded)
        row.doing(row.index, "photometric")
        image = self._here.apply(image, shot.values, row)
        image = with_colorspace(image, shot.values.get("colorspace"))
        row.doing(row.index, "copy")
        write(with_channels(image, self._spec.shape[0]), out)

    def record(self, values: Mapping[str, Any], row: Row) -> dict[str, Any]:
        """Return what ``augmentation`` says of an image with these parameters."""
        others = {key: value for key, value in values.items() if key != "colorspace"}
        cell = {"cell": list(row.cell)} if self._gpu_augmentation else {}
        return {"gpu_augmentation": self._gpu_augmentation, **cell, **others}

    def draw(self, info: ImageInfo, row: Row) -> dict[str, Any]:
        """Return all parameters of one image: drawn by the RNG, by ops that it left out, and fixed ones."""
        fixed = self.params["image"]
        rng = None if self._rng is None else at_epoch(self._rng, row.epoch)
        values = {} if rng is None else rng.draw(info, self._spec, row.random_for("image_rng"))
        values = {**values, **fixed}
        height, width = self._size
        seen = info._replace(height=height, width=width)  # ops run after the geometry
        return {**self._chain.draw(values, seen, row), **values}

    def shot(self, data: bytes, info: ImageInfo, values: dict[str, Any], index: bytes | None = None) -> Shot:
        """Return what the parameters ask to see of an encoded image, which may have an index beside it.

        Raises:
            ImageError: a parameter is out of range.
        """
        source = (info.height, info.width)
        matrix = make_transform(source, self._size, **{key: values[key] for key in GEOMETRY if key in values})
        color = bool(values.get("color", self._spec.shape[0] == 3))
        if self._exact or "supersampling" in values:
            ratio = pixel_ratio(source, self._size, values.get("scale", 1), values.get("scale_mode", "shortest"))
            times = values.get("supersampling") or supersampling_for(ratio)
            return Shot(info, DecodeRequest(data, color, None, 1.0, index), values, matrix, times)
        least_scale = 1 / max(finest_ratio(matrix), 1)  # which keeps the target's resolution
        sketch = None if self._easel is None else self._easel.sketch(matrix, color, values)
        region = None if sketch else needed_region(matrix, self._size, source, RADIUS[_method(values)])
        return Shot(info, DecodeRequest(data, color, region, least_scale, index), values, matrix, None, sketch)

    def _finished(self, shot: Shot) -> bool:
        """Return whether nothing is left to do once an image is drawn."""
        return not shot.values.get("colorspace") and not self._here.applies(shot.values)

    def _may_draw(self) -> bool:
        own = type(self)
        return own.draws and own.render is ImageWorker.render and own.prepare is ImageWorker.prepare

    def _chunk(self, request: Request) -> int:
        if self._easel is None:
            return request.rows
        return 1 if request.progress is None else self._easel.chunk  # one at a time is what a trace can tell apart

    def _planned(self, request: Request, rows: list[Row]) -> Iterator[Planned]:
        """Yield what is to be made, and append all rows."""
        for place, item in enumerate(request.samples):
            row = Row(item, request.streams)
            rows.append(row)
            request.doing(item.index, "draw")
            planned = None
            with giving_up(request, place, row):
                sample = opened(item, row)
                planned = Planned(place, sample, row, self.plan(sample, row))
            if planned is not None:
                yield planned

    def render(self, shot: Shot, decoded: Decoded) -> Image:
        """Return the image after geometry, ``(height, width, channels)`` of the buffer's size."""
        if isinstance(decoded, Finished):
            return decoded.image
        background = shot.values.get("background", self._background)
        if not shot.request.color and self._spec.shape[0] <= 3:
            decoded = decoded._replace(image=with_channels(decoded.image, 1))
        if shot.supersampling is None:
            return view(decoded, shot.matrix, self._size, _method(shot.values), background)
        return warp(decoded.image, shot.matrix, self._size, _method(shot.values), background, shot.supersampling)

    def shown(self, shot: Shot, decoded: Decoded) -> Matrix:
        """Return the matrix from points of what :meth:`render` draws to those of the upright source.

        It differs from ``shot.matrix`` by what drawing rounds: what is to lie on the image goes by this one.
        """
        if isinstance(decoded, Finished):
            return shot.matrix
        if shot.supersampling is None:
            return view_transform(decoded, shot.matrix, self._size)
        return corner_transform(shot.matrix, shot.supersampling)


def encoded(sample: Mapping[str, Any], key: str) -> bytes:
    """Return the encoded image in a sample; one that is an array is put into a file.

    Raises:
        SampleError: there is none under this key.
    """
    if key not in sample:
        names = [str(name) for name in sample]
        raise SampleError(f"no key {key!r}{suggestion(key, names)}; the sample has: {listing(names)}")
    data = sample[key]
    if isinstance(data, np.ndarray):
        return file_of(data, key)
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise SampleError(
            f"{key!r} is of type {type(data).__name__}; it has to be the bytes of an image file, or an array of pixels"
        )
    return bytes(data)


def _method(values: Mapping[str, Any]) -> int:
    return interpolation(values.get("interp_method", LINEAR))


def _next(decoded: Iterator[Decoded | Exception]) -> Decoded:
    pixels = next(decoded)
    if isinstance(pixels, Exception):
        raise _undecodable(pixels) from pixels
    return pixels


def _undecodable(error: Exception) -> SampleError:
    return SampleError(str(error), stage="decode", cause_type=type(error).__name__)


def made(component: Any, kind: str) -> Any:
    """Return a component that was named; a subclass may leave out what ``leaven.create`` would have made before.

    ``"auto"`` is OpenCV's decoder then: this may be a worker's process, whose plugins have no part in what the stream
    is. A subclass that takes ``decoder`` as a parameter of its own, and hands it on, gets what the loader finds.
    """
    if not isinstance(component, (str, Mapping)):
        return component
    from leaven import create

    if component == "auto":
        component = "opencv"

    return create(component, kind=kind)


def _checked_spec(spec: BufferSpec) -> BufferSpec:
    if len(spec.shape) != 3 or min(spec.shape) < 1 or spec.shape[0] not in (1, 3, 4):
        expected = "(channels, height, width) with 1, 3 or 4 channels"
        raise ParameterError(f"image: the buffer's shape is {spec.shape}; it has to be {expected}")
    if spec.dtype.kind not in "iuf":
        raise ParameterError(f"image: the buffer's dtype is {spec.dtype}; it has to be an integer or a float")
    return spec


def _background(spec: BufferSpec) -> Any:
    """Return the fill value as a background: one value, one for each channel, or ``None`` where it is a picture."""
    values = np.ravel(0 if spec.fill is None else spec.fill)
    return values.tolist() if values.size in (1, spec.shape[0]) else None


class StillWorker(ImageWorker):
    """An image worker within another one, which hands decoded pixels to it."""

    draws: ClassVar = False
