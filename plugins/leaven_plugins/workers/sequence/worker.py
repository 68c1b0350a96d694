"""SequenceWorker: sequences of images, which are all treated alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.protocols import Decoder, Op, Rng
from leaven.stream.buffers import BufferSpec, SpecLike
from leaven.stream.worker import BufferWorker, Row
from leaven_plugins.workers.image.worker import DEFAULT_OPS, StillWorker
from leaven_plugins.workers.sequence.frames import KEYS, check_frames, chosen_frames, draw_frames


class SequenceWorker(BufferWorker):
    """Decodes, transforms and augments one sequence of images for each row, all of them by the same draw.

    A sample has a list of encoded images, of one size. Every ``theta``-th is shown, from a place that is drawn; where
    there are fewer than the buffer has room for, the rest of it keeps its fill value. Parameters are drawn once for a
    sequence; the grain of noise alone differs from frame to frame.

    The batch's list ``augmentation`` gets the parameters of each sequence, with ``frames``, the numbers of the images
    shown; ``length`` gets how many these are.

    Args:
        image: spec of the buffer ``image``, shape ``(frames, channels, height, width)``.
        image_params: as for :class:`~leaven_plugins.workers.image.worker.ImageWorker`; also ``phase`` and ``start``,
            from 0 to below 1, which are drawn otherwise: the place within a step, and within the sequence.
        image_rng: draws the parameters; ``None`` for none.
        ops: run on each image after the geometry.
        decoder: turns the images' bytes into pixels.
        source: the sample's key of the list of encoded images.
        gpu_augmentation: leave the ops, or those that are named, to the device.
        exact: draw every image by a supersampled warp.
        theta: step from one image shown to the next, 1 or more; need not be a whole number.

    Raises:
        ParameterError: a parameter is not what it has to be.
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
        theta: float = 1,
    ) -> None:
        self.add_buffer("image", image)
        self.add_params("image", image_params)
        self._theta = theta
        self._source = source
        fixed = self.params["image"]
        check_frames(theta, fixed)
        others = {key: value for key, value in fixed.items() if key not in KEYS}
        spec = _of_one(self.buffers["image"])
        self._frame = StillWorker(spec, others, image_rng, ops, decoder, source, gpu_augmentation, exact)

    def setup(self) -> None:
        """Set up what makes each frame."""
        self._frame.setup()

    def tally(self) -> Mapping[str, int]:
        """Return what the decoder has counted since the last call."""
        return self._frame.tally()

    def prepare(self, sample: Mapping[str, Any], row: Row, buffers: Mapping[str, NDArray[Any]]) -> None:
        """Fill ``image``, and append to ``augmentation`` and ``length``.

        Raises:
            SampleError: there is no list of images, one cannot be decoded, or has another size than the first.
        """
        files = self._files(sample)
        places = {**draw_frames(row.random_for("frames")), **_picked(self.params["image"], KEYS)}
        numbers = chosen_frames(len(files), self.buffers["image"].shape[0], self._theta, **places)
        values: dict[str, Any] | None = None
        size = None
        for place, number in enumerate(numbers):
            try:
                data, info = self._frame.inspected({self._source: files[number]})
                size = size or info[:2]
                if info[:2] != size:
                    raise SampleError(f"{info.height} x {info.width} pixels instead of {size[0]} x {size[1]}")
                values = values or self._frame.draw(info, row)
                shot = self._frame.shot(data, info, values)
                self._frame.paint(shot, self._frame.decoded(shot), _Frame(row, place), buffers["image"][place])
            except LeavenError as error:
                raise _in_frame(number, error) from error
        assert values is not None
        row.append("augmentation", {**self._frame.record(values, row), **places, "frames": numbers})
        row.append("length", len(numbers))

    def _files(self, sample: Mapping[str, Any]) -> Sequence[Any]:
        files = sample.get(self._source)
        if not isinstance(files, (list, tuple)) or not files:
            found = "an empty list" if isinstance(files, (list, tuple)) else f"of type {type(files).__name__}"
            raise SampleError(f"{self._source!r} is {found}; it has to be a list of image files")
        return files


class _Frame(Row):
    """The row of one frame, with noise of its own."""

    __slots__ = ("_place", "_row")

    def __init__(self, row: Row, place: int) -> None:
        self.epoch, self.index, self.key = row.epoch, row.index, row.key
        self.doing = row.doing
        self._row = row
        self._place = place

    @property
    def cell(self) -> tuple[int, int]:
        return self._row.cell

    def random_for(self, op: str) -> np.random.Generator:
        return self._row.random_for(f"{op}@{self._place}" if self._place else op)


def _of_one(spec: BufferSpec) -> BufferSpec:
    if len(spec.shape) != 4 or spec.shape[0] < 1:
        expected = "(frames, channels, height, width)"
        raise ParameterError(f"image: the buffer's shape is {spec.shape}; it has to be {expected}")
    if spec.fill is None:
        raise ParameterError("image: the buffer needs a fill value, for what follows the end of short sequences")
    return BufferSpec(spec.shape[1:], spec.dtype, spec.fill[:, 0])


def _picked(table: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: table[key] for key in keys if key in table}


def _in_frame(number: int, error: LeavenError) -> SampleError:
    """Return the error of a sample that says which frame it is about."""
    if isinstance(error, SampleError):
        return SampleError(f"frame {number}: {error.message}", stage=error.stage, cause_type=error.cause_type)
    return SampleError(f"frame {number}: {error}", cause_type=type(error).__name__)
