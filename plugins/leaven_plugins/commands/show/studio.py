"""Studios: where pictures of one image are taken, with one parameter changed at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo, Op
from leaven.stream.randomness import Streams
from leaven.stream.worker import Row, unpacked
from leaven_plugins.commands.show.layers import shown
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.commands.show.sheet import displayable, fitted

_LEAST, _MOST = 150, 224
"""Between which the longer side of a picture lies, in pixels: as it is, if possible, since ops act on pixels."""


class Studio(Protocol):
    """Takes pictures of one image."""

    def plain(self) -> Pixels:
        """Return the image as it is."""

    def with_geometry(self, values: Mapping[str, Any]) -> Pixels:
        """Return the image under these parameters of the geometry."""

    def with_op(self, op: Op, values: Mapping[str, Any]) -> Pixels:
        """Return the image under an op with these values."""

    def with_everything(self, epoch: int) -> Pixels:
        """Return the image as it is made in one epoch."""


class WorkerStudio:
    """Lets a worker take the pictures: each shows what the network would get.

    Args:
        replay: dataset and worker; this has to be an image worker.
        index: of the sample.

    Raises:
        ParameterError: the worker does not make images by parameters.
    """

    def __init__(self, replay: Replay, index: int) -> None:
        self._replay = replay
        self._index = index
        self._arguments = _arguments_of(replay.worker)
        self._fixed = _without_ops(self._arguments)
        self._tile = max(_LEAST, min(_MOST, max(replay.worker.buffers["image"].shape[-2:])))

    @property
    def ops(self) -> list[Op]:
        """The worker's ops."""
        return list(self._arguments["ops"])

    def draws(self, count: int) -> list[dict[str, Any]]:
        """Return the parameters of the image in the first ``count`` epochs."""
        worker: Any = self._replay.worker
        first = self._replay.item(0, self._index)
        info = self._arguments["decoder"].info(unpacked(first)[self._arguments.get("source", "image")])
        streams = Streams(self._replay.seed)
        return [worker.draw(info, Row(first._replace(epoch=epoch), streams)) for epoch in range(count)]

    def plain(self) -> Pixels:
        """Return the image as it is made without RNG and ops."""
        return self.with_geometry({})

    def with_geometry(self, values: Mapping[str, Any]) -> Pixels:
        """Return the image under these parameters of the geometry."""
        return self._taken(self._changed(values, ()), 0)

    def with_op(self, op: Op, values: Mapping[str, Any]) -> Pixels:
        """Return the image under an op with these values."""
        return self._taken(self._changed(values, (op,)), 0)

    def with_everything(self, epoch: int) -> Pixels:
        """Return the image as the loader delivers it in one epoch."""
        return self._taken(self._replay, epoch)

    def _changed(self, values: Mapping[str, Any], ops: Sequence[Op]) -> Replay:
        changed = {**self._arguments, "image_rng": None, "ops": ops, "image_params": {**self._fixed, **values}}
        return Replay(self._replay.dataset, type(self._replay.worker)(**changed), self._replay.seed)

    def _taken(self, replay: Replay, epoch: int) -> Pixels:
        return shown(replay.sample(epoch, self._index), self._tile).pictures[0]


class PhotoStudio:
    """Takes pictures of a photo; ops are applied to it directly, so that they may change its size, too.

    Args:
        studio: for everything but ops.
        seed: of the ops' randomness.
    """

    def __init__(self, studio: WorkerStudio, seed: int) -> None:
        self._studio = studio
        self._streams = Streams(seed)
        self._photo = studio.plain()
        self.info = ImageInfo(*self._photo.shape)
        """Of what ops are applied to."""

    def plain(self) -> Pixels:
        """Return the photo as it is."""
        return self._photo

    def with_geometry(self, values: Mapping[str, Any]) -> Pixels:
        """Return the photo under these parameters of the geometry."""
        return self._studio.with_geometry(values)

    def with_op(self, op: Op, values: Mapping[str, Any]) -> Pixels:
        """Return the photo under an op with these values.

        Raises:
            ParameterError: the result is no image.
        """
        made = np.asarray(op.apply(self._photo.copy(), values, self._streams.at("apply", 0, 0)))
        if made.ndim != 3 or made.shape[2] not in (1, 3) or 0 in made.shape:
            raise ParameterError(f"its result is no image (height, width, channels), but of shape {made.shape}")
        tile = max(8, min(max(made.shape[:2]), max(self._photo.shape[:2])))  # a smaller one is not enlarged
        return fitted(displayable(made).transpose(2, 0, 1), tile)

    def with_everything(self, epoch: int) -> Pixels:
        """Return the photo as it is made in one epoch."""
        return self._studio.with_everything(epoch)

    def everything_drawn(self, count: int) -> list[dict[str, Any]]:
        """Return all parameters of the photo in the first ``count`` epochs."""
        return self._studio.draws(count)

    def draws(self, op: Op, count: int) -> list[dict[str, Any]]:
        """Return what an op draws for the photo in ``count`` epochs."""
        return [op.draw(self._streams.at("draw", epoch, 0), self.info) for epoch in range(count)]


def _without_ops(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fixed parameters of a worker that are none of its ops'."""
    keys = {"order", *(key for op in arguments["ops"] for key in op.keys)}
    return {key: value for key, value in (arguments.get("image_params") or {}).items() if key not in keys}


def _arguments_of(worker: Any) -> dict[str, Any]:
    arguments = getattr(worker, "arguments", {})
    missing = [name for name in ("image", "ops", "decoder") if name not in arguments]
    if missing or not hasattr(worker, "draw"):
        raise ParameterError(
            f"{type(worker).__name__} makes no images by drawn parameters, so that there is nothing to change: "
            "leaven show batch shows what it makes"
        )
    return dict(arguments)
