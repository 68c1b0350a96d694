"""Exhibits: what there is to see of a configuration's augmentation, and of all ops and RNGs that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import DecodeError, LeavenError
from leaven.protocols import ImageInfo, Op, Rng
from leaven.registry.offers import Offer
from leaven.registry.registry import Registry
from leaven.stream.buffers import BufferSpec, buffer_spec
from leaven.stream.randomness import Streams
from leaven_plugins.commands.show.augmenting import Shot, geometry_shots, headings, op_shots
from leaven_plugins.commands.show.chart import Cell, Line, chart
from leaven_plugins.commands.show.ends import DRAWS
from leaven_plugins.commands.show.examples import made_as_example, ops_for
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.commands.show.studio import PhotoStudio, Studio, WorkerStudio
from leaven_plugins.photos.shipped import photo

USUAL_RNG = "mixture"
"""Whose draws of the geometry are shown of a photo."""

UNSEEN = "it changes nothing that can be seen of a single image"
"""Why an op or an RNG is not shown."""

_SEED = 0
_TRIED = 200  # draws that show which keys an RNG draws


class Exhibit(NamedTuple):
    """Lines of a chart, the last lines with everything together, a title, and why some ops are not shown."""

    title: str
    shots: list[Shot]
    together: list[Line]
    missing: dict[str, str]

    @property
    def lines(self) -> list[Line]:
        """All lines."""
        return [*(shot.line for shot in self.shots), *self.together]


def experiment_augmented(replay: Replay, name: str, index: int, count: int) -> Exhibit:
    """Return what can be seen of the RNG and the ops of an experiment's worker, on one sample, with some draws each.

    Raises:
        ParameterError: the worker does not make images by parameters, or there is no such sample.
        SampleError: the sample cannot be used.
    """
    studio = WorkerStudio(replay, index)
    draws = studio.draws(DRAWS)
    shots, missing = geometry_shots(studio, draws, count), {}
    for op in studio.ops:
        found = op_shots(studio, op, name_of(op), draws, count)
        shots += found
        if not found:
            missing[name_of(op)] = f"none of {DRAWS} draws applies it"
    title = f"{name}: sample {index} ({replay.dataset.key(index)}) under what is drawn for it"
    return Exhibit(title, shots, [everything(studio, "everything", "together", count)], missing)


def photo_augmented(registry: Registry, path: str | None, rng: str | None, count: int, side: int = 150) -> Exhibit:
    """Return what can be seen of all ops on a photo, with some draws each.

    Args:
        registry: where ops are looked up.
        path: of the photo; by default the one that comes along.
        rng: the RNG whose geometry is shown, and whose draws stand in the last line.
        count: of draws in each line.
        side: the longer one of the pictures, in pixels.

    Raises:
        DecodeError: it is no image, or cannot be read.
        LookupFailed: no such RNG.
    """
    offer = registry.find(rng or USUAL_RNG, kind="rng")
    studio = photo_studio(registry, data_at(path), made_as_example(offer, registry), side)
    shots, missing = geometry_shots(studio, studio.everything_drawn(DRAWS), count), {}
    for op in registry.offers("op"):
        found, reason = shots_of_offer(studio, op, registry, count)
        shots += found
        missing.update({op.name: reason} if reason else {})
    title = f"{'A photo' if path is None else Path(path).name} under all ops, and the geometry of {offer.spec}"
    return Exhibit(title, shots, [everything(studio, "everything", f"{offer.spec}", count)], missing)


def shots_of_offer(studio: PhotoStudio, offer: Offer, registry: Registry, count: int) -> tuple[list[Shot], str]:
    """Return what can be seen of an op on a photo, and why there is nothing."""
    try:
        op: Op = made_as_example(offer, registry)
        found = op_shots(studio, op, offer.name, studio.draws(op, DRAWS), count)
    except LeavenError as error:
        return [], str(error)
    except Exception as error:  # of whatever kind: one op of somebody's does not keep the others from being seen
        return [], f"{type(error).__name__}: {error}"
    if not found:
        return [], "it draws nothing by itself, and its class has no `example` of parameters with which it does"
    if all(np.array_equal(cell.picture, studio.plain()) for shot in found for cell in shot.line.cells if cell):
        return [], UNSEEN
    return found, ""


def chart_of(exhibit: Exhibit, count: int) -> Pixels:
    """Return the picture."""
    return chart(exhibit.lines, headings(count), exhibit.title)


def everything(studio: Studio, name: str, remark: str, count: int) -> Line:
    """Return the line of the image as it is made in the first epochs, as many as there are columns."""
    return Line(name, remark, [Cell(studio.with_everything(epoch), f"epoch {epoch}") for epoch in range(count + 3)])


def photo_studio(registry: Registry, data: bytes, rng: Rng, side: int) -> PhotoStudio:
    """Return where pictures of a photo are taken.

    Args:
        registry: where components are looked up.
        data: the image's file.
        rng: draws everything together, with those ops that its draws are for.
        side: the longer one of the pictures, in pixels.

    Raises:
        DecodeError: it is no image.
    """
    info = registry.create("decoder:opencv").info(data)
    factor = side / max(info.height, info.width)
    size = (max(1, round(info.height * factor)), max(1, round(info.width * factor)))
    image = buffer_spec({"shape": (3, *size), "dtype": "uint8", "fill": 255})
    ops = ops_for(registry, _draws_of(rng, info, image))
    worker = registry.create("worker:image", image=image, image_rng=rng, ops=ops)
    return PhotoStudio(WorkerStudio(Replay(_Single(data), worker, _SEED), 0), _SEED)


def name_of(op: Op) -> str:
    """Return what to call an op."""
    return str(getattr(op, "name", type(op).__name__))


class _Single:
    """A dataset of one image."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return 1

    def sample(self, index: int) -> Mapping[str, Any]:
        return {"key": "photo", "image": self._data}

    def key(self, index: int) -> str:
        return "photo"

    def close(self) -> None:
        pass


def _draws_of(rng: Rng, info: ImageInfo, spec: BufferSpec) -> list[dict[str, Any]]:
    streams = Streams(_SEED)
    return [rng.draw(info, spec, streams.at("image_rng", epoch, 0)) for epoch in range(_TRIED)]


def data_at(path: str | None) -> bytes:
    """Return an image's file, by default the photo that comes along.

    Raises:
        DecodeError: it cannot be read.
    """
    if path is None:
        return photo("chelsea")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DecodeError(f"{path}: cannot be read: {error.strerror or error}") from error
