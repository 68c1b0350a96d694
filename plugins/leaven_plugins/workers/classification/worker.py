"""ClassificationWorker: images with one label each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import Decoded, Decoder, Op, Rng
from leaven.stream.buffers import SpecLike
from leaven.stream.worker import Row
from leaven_plugins.workers.classification.labels import write_label
from leaven_plugins.workers.image.worker import DEFAULT_OPS, ImageWorker, Shot


class ClassificationWorker(ImageWorker):
    """Fills ``image`` as :class:`~leaven_plugins.workers.image.worker.ImageWorker` does, and ``label``.

    Args:
        image: spec of the buffer ``image``, shape ``(channels, height, width)``.
        label: spec of the buffer ``label``; the sample's ``label`` is broadcast into it.
        image_params: this and what follows are those of ``ImageWorker``.
        image_rng: draws the parameters; ``None`` for none.
        ops: run after the geometry.
        decoder: turns the sample's bytes into pixels.
        source: the sample's key of the encoded image.
        gpu_augmentation: leave the ops, or those that are named, to the device.
        exact: draw every image by a supersampled warp.
        classes: how many there are; other labels than 0 to ``classes - 1`` are an error. ``None`` allows all that fit
            the buffer.

    Raises:
        ParameterError: a parameter is not what it has to be.
    """

    def __init__(
        self,
        image: SpecLike,
        label: SpecLike = ((1,), "int64"),
        image_params: Mapping[str, Any] | None = None,
        image_rng: Rng | str | None = None,
        ops: Sequence[Op | str] = DEFAULT_OPS,
        decoder: Decoder | str = "auto",
        source: str = "image",
        gpu_augmentation: bool | Sequence[str] = False,
        exact: bool = False,
        classes: int | None = None,
    ) -> None:
        super().__init__(image, image_params, image_rng, ops, decoder, source, gpu_augmentation, exact)
        self.add_buffer("label", label)
        if classes is not None and classes < 1:
            raise ParameterError(f"classes is {classes}; it has to be positive")
        self._classes = classes

    def fill(
        self,
        sample: Mapping[str, Any],
        row: Row,
        buffers: Mapping[str, NDArray[Any]],
        shot: Shot,
        decoded: Decoded,
    ) -> None:
        """Fill ``label`` and ``image``.

        Raises:
            SampleError: the label is missing, out of range or of another shape.
        """
        write_label(sample, "label", buffers["label"], self._classes)
        super().fill(sample, row, buffers, shot, decoded)
