"""SaliencyWorker: images with a map of where people looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, suggestion
from leaven.protocols import Decoded, Decoder, Op, Rng
from leaven.stream.buffers import SpecLike
from leaven.stream.worker import Row
from leaven_plugins.ops.blur.op import add_blur
from leaven_plugins.ops.geometry import inverted, map_points, pixel_ratio
from leaven_plugins.workers.image.alignment import (
    annotated_size,
    annotation_transform,
    check_frame,
    plane,
    plane_size,
)
from leaven_plugins.workers.image.worker import DEFAULT_OPS, ImageWorker, Shot
from leaven_plugins.workers.saliency.gaze import gaze_map
from leaven_plugins.workers.saliency.locations import ORIGINS, locations_of
from leaven_plugins.workers.saliency.parameters import gaze_params

Points = NDArray[np.float64]

_MOST_CELLS = 1 << 16  # in a pixel, along one axis: all cells of a map have numbers of 64 bits


class SaliencyWorker(ImageWorker):
    """Fills ``image`` as :class:`~leaven_plugins.workers.image.worker.ImageWorker` does, and ``target_image``.

    A sample's ``experiments`` are a list of tables, one for each person, with ``locations`` or ``fixations``: pairs of
    x and y, a list or an array ``(n, 2)``, in pixels of the image. Where both are there, fixations count. What is not
    finite, negative or beyond the image is left out.

    Points land on what they mark, whatever is drawn for the image. The map then tells as many places apart as the
    image had pixels: where ``r`` of them make one pixel of the map, it is as if drawn ``ceil(r)`` times as large, 1
    where there is a point, however many, and averaged. Parts of it that show nothing of the image are 0.

    Args:
        image: spec of the buffer ``image``, shape ``(channels, height, width)``.
        target_image: spec of the buffer ``target_image``, floats, shape ``(height, width)`` or ``(1, height, width)``.
            It shows what the image shows, also at another resolution.
        image_params: as for ``ImageWorker``.
        target_image_params: ``sample_ratio`` (1), ``jitter`` (0), ``interpolate`` (False), ``blur`` (0) and ``maxnorm``
            (False) of :class:`~leaven_plugins.workers.saliency.parameters.GazeParams`.
        image_rng: this and what follows are those of ``ImageWorker``.
        ops: run on the image after the geometry.
        decoder: turns the image's bytes into pixels.
        source: the sample's key of the encoded image.
        gpu_augmentation: leave the ops, or those that are named, to the device.
        exact: draw every image by a supersampled warp.
        experiments: the sample's key of the experiments.
        origin: what (0, 0) is: ``"center"`` of the first pixel, as where points are numbers of columns and rows, or its
            ``"corner"``, as where they are distances from the border of the picture.
        annotated: which pixels points belong to where the image's file says that it is to be turned (EXIF orientation):
            ``"stored"`` (points are turned with the image) or ``"upright"`` (as it is to be seen).

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
        experiments: str = "experiments",
        origin: str = "center",
        annotated: str = "stored",
    ) -> None:
        super().__init__(image, image_params, image_rng, ops, decoder, source, gpu_augmentation, exact)
        self._chain.check_still("its points")
        self.add_buffer("target_image", target_image)
        self.add_params("target_image", target_image_params)
        self._gaze = gaze_params(self.params["target_image"])
        self._map_size = plane_size("target_image", self.buffers["target_image"])
        self._experiments = experiments
        self._origin = origin
        self._annotated = annotated
        check_frame(annotated)
        if self.buffers["target_image"].dtype.kind != "f":
            raise ParameterError(f"target_image: the buffer's dtype is {self.buffers['target_image'].dtype}, no float")
        if origin not in ORIGINS:
            hint = suggestion(origin, ORIGINS)
            raise ParameterError(f"origin is {origin!r}{hint}; it has to be one of {', '.join(ORIGINS)}")

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
            SampleError: as ``ImageWorker``, or experiments are missing or malformed, or no point of any lies within the
                image.
        """
        size = annotated_size(shot.info, self._annotated)
        locations = locations_of(sample, self._experiments, size, self._origin)
        random = row.random_for("gaze")
        points = self._jittered(self._placed(self._sampled(locations, random), shot, decoded), random)
        plane(buffers["target_image"])[...] = self._map(points, shot)
        super().fill(sample, row, buffers, shot, decoded)

    def _sampled(self, locations: list[Points], random: np.random.Generator) -> Points:
        """Return the points of the experiments that are drawn."""
        count = ceil(self._gaze.sample_ratio * len(locations))
        chosen = random.permutation(len(locations))[:count]
        return np.concatenate([locations[number] for number in sorted(chosen.tolist())])

    def _placed(self, points: Points, shot: Shot, decoded: Decoded) -> Points:
        """Return where points of the image lie in the map."""
        shown = self.shown(shot, decoded)
        matrix = annotation_transform(shown, shot.info, self._annotated, self._size, self._map_size)
        return map_points(inverted(matrix), points)

    def _jittered(self, points: Points, random: np.random.Generator) -> Points:
        if not self._gaze.jitter:
            return points
        height, width = self._map_size
        moves = random.standard_normal(points.shape) * (self._gaze.jitter * width, self._gaze.jitter * height)
        jittered: Points = points + moves
        return jittered

    def _map(self, points: Points, shot: Shot) -> NDArray[np.float32]:
        values = shot.values
        source = (shot.info.height, shot.info.width)
        ratio = pixel_ratio(source, self._map_size, values.get("scale", 1), values.get("scale_mode", "shortest"))
        cells = min(max(ceil(ratio - 1e-9), 1), _MOST_CELLS)
        gaze: NDArray[np.float32] = gaze_map(points, self._map_size, cells, self._gaze.interpolate)
        if self._gaze.blur:
            gaze = add_blur(gaze[:, :, None], self._gaze.blur)[:, :, 0]
        if self._gaze.maxnorm and gaze.max() > 0:
            gaze = gaze / gaze.max()
        return gaze
