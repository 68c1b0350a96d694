"""SegmentationWorker: images with a mask of class numbers each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError, ParameterError, SampleError, listing, suggestion
from leaven.protocols import Decoded, Decoder, Op, Rng
from leaven.stream.buffers import SpecLike
from leaven.stream.worker import Row
from leaven_plugins.ops.geometry import needed_region, within_decoded
from leaven_plugins.workers.image.alignment import (
    annotated_size,
    annotation_transform,
    check_frame,
    plane,
    plane_size,
)
from leaven_plugins.workers.image.worker import DEFAULT_OPS, ImageWorker, Shot, encoded, made
from leaven_plugins.workers.segmentation.mask import check_fits, draw_mask, one_channel, write_mask


class SegmentationWorker(ImageWorker):
    """Fills ``image`` as :class:`~leaven_plugins.workers.image.worker.ImageWorker` does, and ``target_image``.

    The mask shows exactly what the image shows: whatever was drawn for the image, crop, scale, mirrors, rotation and
    shear, holds for the mask, also at another resolution. Each of its pixels is the number at its middle (nearest
    neighbour); numbers are never mixed, and no pixel operation touches them. Where the image shows its background, the
    mask keeps the fill value of its buffer.

    A mask is a grey image file, or a PNG with a palette, whose numbers count and not its colours. It covers the whole
    image; it may have another resolution.

    Args:
        image: spec of the buffer ``image``, shape ``(channels, height, width)``.
        target_image: spec of the buffer ``target_image``, shape ``(height, width)`` or ``(1, height, width)``. Its fill
            value is the number of what lies outside of the image, such as 255 to be ignored by the loss.
        image_params: this and what follows are those of ``ImageWorker``.
        target_image_params: ``background``: the number of what lies outside, instead of the fill value.
        image_rng: draws the parameters; ``None`` for none.
        ops: run on the image after the geometry.
        decoder: turns the image's bytes into pixels.
        source: the sample's key of the encoded image.
        gpu_augmentation: leave the ops, or those that are named, to the device.
        exact: draw every image by a supersampled warp.
        target_source: the sample's key of the encoded mask, or several, of which the first that the sample has counts.
        target_decoder: turns the mask's bytes into numbers.
        classes: how many there are; other numbers than 0 to ``classes - 1`` and that of what lies outside are an error.
            ``None`` allows all that fit the buffer.
        annotated: which pixels the mask belongs to where the image's file says that it is to be turned (EXIF
            orientation): ``"stored"`` (the mask is turned with the image) or ``"upright"`` (it is so already). A mask
            whose own file has an orientation is turned by that one.

    Raises:
        ParameterError: a parameter is not what it has to be.
    """

    def __init__(
        self,
        image: SpecLike,
        target_image: SpecLike,
        image_params: Mapping[str, Any] | None = None,
        target_image_params: Mapping[str, Any] | None = None,
        image_rng: Rng | str | None = None,
        ops: Sequence[Op | str] = DEFAULT_OPS,
        decoder: Decoder | str = "auto",
        source: str = "image",
        gpu_augmentation: bool | Sequence[str] = False,
        exact: bool = False,
        target_source: str | Sequence[str] = ("target_image", "label_image"),
        target_decoder: Decoder | str = "indices",
        classes: int | None = None,
        annotated: str = "stored",
    ) -> None:
        super().__init__(image, image_params, image_rng, ops, decoder, source, gpu_augmentation, exact)
        self._chain.check_still("its mask")
        self.add_buffer("target_image", target_image)
        self.add_params("target_image", target_image_params)
        self._target_size = plane_size("target_image", self.buffers["target_image"])
        self._outside = _outside(self.buffers["target_image"].fill, self.params["target_image"])
        self._target_sources = (target_source,) if isinstance(target_source, str) else tuple(target_source)
        self._target_decoder: Decoder = made(target_decoder, "decoder")
        self._classes = classes
        self._annotated = annotated
        check_frame(annotated)
        if classes is not None and classes < 1:
            raise ParameterError(f"classes is {classes}; it has to be positive")

    def fill(
        self,
        sample: Mapping[str, Any],
        row: Row,
        buffers: Mapping[str, NDArray[Any]],
        shot: Shot,
        decoded: Decoded,
    ) -> None:
        """Fill ``target_image`` and ``image``.

        Raises:
            SampleError: as ``ImageWorker``, or there is no mask, it cannot be decoded, has colours, does not cover the
                image, or has a number that does not fit.
        """
        target = plane(buffers["target_image"])
        if "background" in self.params["target_image"]:
            target[...] = self._outside
        try:
            self._fill_mask(encoded(sample, self._source_in(sample)), shot, decoded, target)
        except DecodeError as error:
            raise SampleError(str(error), stage="mask", cause_type=type(error).__name__) from error
        super().fill(sample, row, buffers, shot, decoded)

    def _fill_mask(self, data: bytes, shot: Shot, decoded: Decoded, target: NDArray[Any]) -> None:
        info = self._target_decoder.info(data)
        frame = "upright" if info.orientation != 1 else self._annotated
        size, image_size = (info.height, info.width), annotated_size(shot.info, frame)
        check_fits(size, image_size)
        matrix = annotation_transform(self.shown(shot, decoded), shot.info, frame, self._size, self._target_size)
        matrix = matrix * [[size[1] / image_size[1]], [size[0] / image_size[0]]]
        region = needed_region(matrix, self._target_size, size, 1)
        mask = self._target_decoder.decode(data, color=False, region=region)
        drawn = draw_mask(one_channel(mask.image), within_decoded(matrix, mask.region, mask.scale), self._target_size)
        write_mask(drawn, target, self._classes, self._outside)

    def _source_in(self, sample: Mapping[str, Any]) -> str:
        for key in self._target_sources:
            if key in sample:
                return key
        names = [str(name) for name in sample]
        asked = " or ".join(repr(key) for key in self._target_sources)
        hint = suggestion(self._target_sources[0], names)
        raise SampleError(f"no mask: no key {asked}{hint}; the sample has: {listing(names)}", stage="mask")


def _outside(fill: NDArray[Any] | None, params: Mapping[str, Any]) -> Any:
    """Return the number of what lies outside of the image; ``None`` where the fill value is a picture."""
    if fill is None:
        raise ParameterError("target_image: the buffer needs a fill value, the number of what lies outside of images")
    for key in params:
        if key != "background":
            raise ParameterError(
                f"target_image_params has no {key!r}; there is background. The mask has the geometry of the image"
            )
    value = params.get("background", fill.item() if fill.size == 1 else None)
    if not (value is None or (isinstance(value, (int, float, np.number)) and _held(value, fill.dtype))):
        raise ParameterError(f"target_image_params: background is {value!r}; it has to be a number of {fill.dtype}")
    return value


def _held(value: Any, dtype: np.dtype[Any]) -> bool:
    if dtype.kind not in "iu":
        return True
    limits = np.iinfo(dtype)
    return bool(limits.min <= value <= limits.max and value == int(value))
