"""FCNWorker: the same image twice, in the same place, each with parameters of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import Decoded, Decoder, DecodeRequest, Op, Region, Rng
from leaven.stream.buffers import SpecLike
from leaven.stream.worker import Row
from leaven_plugins.workers.image.worker import DEFAULT_OPS, ImageWorker, Shot, StillWorker


class FCNWorker(ImageWorker):
    """Fills ``image`` as :class:`~leaven_plugins.workers.image.worker.ImageWorker` does, and ``target_image`` likewise.

    Both are made of the same encoded image with the same drawn parameters, for networks whose output is an image:
    to take away noise (``target_image_params = {noise = 0}``), to add colour to a grey image, to enlarge one. What
    ``target_image_params`` fixes counts for the target alone.

    Args:
        image: spec of the buffer ``image``, shape ``(channels, height, width)``.
        target_image: spec of the buffer ``target_image``, as that of ``image``. Another size of the same proportions
            shows the same.
        image_params: this and what follows are those of ``ImageWorker``; these fix parameters of both images.
        target_image_params: fixed parameters of the target, which win over those of the image.
        image_rng: draws the parameters of both; ``None`` for none.
        ops: run on both images after the geometry. Noise of the same strength is the same noise.
        decoder: turns the sample's bytes into pixels.
        source: the sample's key of the encoded image.
        gpu_augmentation: leave the ops, or those that are named, to the device, on both images. An augmenter does them
            to one: the target needs another one, with ``input_key="target_image"``.
        exact: draw every image by a supersampled warp.

    Raises:
        ParameterError: a parameter is not what it has to be.
    """

    draws: ClassVar = False  # both images are made of one decoded picture

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
    ) -> None:
        super().__init__(image, image_params, image_rng, ops, decoder, source, gpu_augmentation, exact)
        self.add_buffer("target_image", target_image)
        self.add_params("target_image", target_image_params)
        fixed = {**self.params["image"], **self.params["target_image"]}
        try:
            self._target = StillWorker(target_image, fixed, None, ops, decoder, source, gpu_augmentation, exact)
        except ParameterError as error:
            raise ParameterError(f"target_image: {error}") from error

    def plan(self, sample: Mapping[str, Any], row: Row) -> Shot:
        """Return what ``ImageWorker.plan`` does, with a request that serves both images, if one can."""
        shot = super().plan(sample, row)
        target = self._target_shot(shot)
        if shot.request.color != target.request.color:
            return shot
        return shot._replace(request=_for_both(shot.request, target.request))

    def fill(
        self,
        sample: Mapping[str, Any],
        row: Row,
        buffers: Mapping[str, NDArray[Any]],
        shot: Shot,
        decoded: Decoded,
    ) -> None:
        """Fill ``image`` and ``target_image``."""
        super().fill(sample, row, buffers, shot, decoded)
        target = self._target_shot(shot)
        if shot.request.color != target.request.color:
            decoded = self.decoded(target)
        self._target.paint(target, decoded, row, buffers["target_image"])

    def _target_shot(self, shot: Shot) -> Shot:
        values = {**shot.values, **self.params["target_image"]}
        return self._target.shot(shot.request.data, shot.info, values)


def _for_both(one: DecodeRequest, other: DecodeRequest) -> DecodeRequest:
    return one._replace(region=_around(one.region, other.region), min_scale=max(one.min_scale, other.min_scale))


def _around(one: Region | None, other: Region | None) -> Region | None:
    """Return the smallest region that holds both; ``None`` is the whole image."""
    if one is None or other is None:
        return None
    return Region(
        min(one.top, other.top), min(one.left, other.left), max(one.bottom, other.bottom), max(one.right, other.right)
    )
