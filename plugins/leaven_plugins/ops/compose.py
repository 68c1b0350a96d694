"""Compose: ops on one image, a sequence or parallel sequences, without any loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven import create
from leaven.errors import suggestion
from leaven.protocols import Decoder, ImageInfo, Op
from leaven.stream.randomness import Streams
from leaven_plugins.ops.bundles import Frames, bundled
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.frames import apply_to_frames
from leaven_plugins.ops.streams import Stream

Image = NDArray[Any]
OpLike = Op | str | Mapping[str, Any]

IMAGE = Stream()
"""How a stream is treated of which nothing is said."""


class Compose:
    """Does ops to images, one after the other, and draws each op's values once for all of them.

    ::

        augment = Compose(["flip", {"use": "rotate", "rotate_range": [-10, 10]}, Hue(hue_range=(-20, 20))])
        image = augment(image, seed=1, index=5)

        pair = Compose([...], streams={"mask": Stream.mask(background=255)})
        done = pair({"image": image, "mask": mask}, seed=1, index=5)

    Each op draws what it needs from a generator of its own, keyed by seed, epoch, index and its name (and a number,
    where there are several of a name): the same call gives the same images, and one op more or less leaves what the
    others draw as it is.

    Args:
        ops: instances, spec strings or tables with ``use``.
        streams: how streams differ that are given by these names; the others are treated as images.
        decoder: turns images that are given as bytes into pixels.

    Raises:
        LookupFailed: an op does not exist.
        ParameterError: an op does not take a parameter, or a value.
    """

    def __init__(
        self,
        ops: Sequence[OpLike],
        streams: Mapping[str, Stream] | None = None,
        decoder: Decoder | str = "auto",
    ) -> None:
        made: list[Op] = [create(op, kind="op") for op in ops]
        self._links = tuple(_Link(label, op) for label, op in zip(_labels(made), made, strict=True))
        self._streams = dict(streams or {})
        self._adapted = {name: [stream.adapted(op) for op in made] for name, stream in self._streams.items()}
        self._decoder_name = decoder
        self._local = local()

    def __call__(
        self,
        images: Any,
        *,
        seed: int = 0,
        index: int = 0,
        epoch: int = 0,
        random: np.random.Generator | None = None,
        record: bool = False,
    ) -> Any:
        """Return the changed images, in the form in which they were given.

        Args:
            images: an image: an array ``(height, width)`` or ``(height, width, channels)``, or the bytes of a file; a
                sequence: a list of them, or an array ``(frames, height, width, channels)``; parallel sequences: a list
                of such lists, or a mapping of names to images or sequences. None of them is changed.
            seed: any integer.
            index: number of the sample.
            epoch: number of the pass.
            random: draws a seed, instead of the three above.
            record: return also what :meth:`replay` takes.

        Returns:
            the images, or them and a record: plain data, with ``seed``, ``epoch``, ``index`` and ``ops``, a list of
            ``{"op": name, "values": what was drawn}``. An image that was only cut, or left as it is, may share its
            memory with the one that was given.

        Raises:
            ImageError: something is not an image, parallel sequences differ in length, or an op cannot be done.
            DecodeError: bytes are not an image.
        """
        if random is not None:
            seed, index, epoch = int(random.integers(1 << 63)), 0, 0
        done, drawn = self._run(images, _Cell(seed, epoch, index), None)
        return (done, drawn) if record else done

    def replay(self, images: Any, record: Mapping[str, Any]) -> Any:
        """Return the images as another call has changed them, or would have with other values in its record.

        Raises:
            ImageError: as for a call; or the record is one of other ops.
        """
        names = [entry["op"] for entry in record["ops"]]
        own = [link.label for link in self._links]
        if names != own:
            raise ImageError(f"the record is of the ops {', '.join(names)}, and these are {', '.join(own)}")
        cell = _Cell(record["seed"], record["epoch"], record["index"])
        return self._run(images, cell, [entry["values"] for entry in record["ops"]])[0]

    def _run(self, images: Any, cell: _Cell, given: Sequence[Mapping[str, Any]] | None) -> tuple[Any, dict[str, Any]]:
        bundle = bundled(images, self._decode)
        self._check_names(bundle.streams)
        frames, random, drawn = dict(bundle.streams), self._random(cell.seed), []
        for place, (label, op) in enumerate(self._links):
            if given is None:
                first = next(iter(frames.values()))[0]
                values = op.draw(random.at(f"{label}.draw", cell.epoch, cell.index), ImageInfo(*first.shape))
            else:
                values = dict(given[place])
            drawn.append({"op": label, "values": values})
            for name in frames:
                own = self._adapted[name][place] if name in self._adapted else op
                if own.applies(values):  # each stream begins at the start of the op's cell: the same noise for all
                    generator = random.at(label, cell.epoch, cell.index)
                    frames[name] = apply_to_frames(own, frames[name], values, generator)
        return bundle.restore(frames), {**cell._asdict(), "ops": drawn}

    def _check_names(self, streams: Mapping[str, Frames]) -> None:
        for name in self._streams:
            if name not in streams:
                hint = suggestion(name, streams) or f"; there are {', '.join(map(repr, streams))}"
                raise ImageError(f"no images are given as {name!r}{hint}")

    def _random(self, seed: int) -> Streams:
        """Return the generators of this thread: to set one to a cell takes 1 us, to make one 8."""
        streams: Streams | None = getattr(self._local, "streams", None)
        if streams is None or streams.seed != seed:
            streams = self._local.streams = Streams(seed)
        return streams

    def _decode(self, data: bytes) -> Image:
        return self._decoder.decode(data).image

    @cached_property
    def _decoder(self) -> Decoder:
        decoder: Decoder = create(self._decoder_name, kind="decoder")
        return decoder


class _Link(NamedTuple):
    label: str
    op: Op


class _Cell(NamedTuple):
    seed: int
    epoch: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs


def _labels(ops: Sequence[Op]) -> list[str]:
    """Return a name for each op; the second of a name has ``#2`` behind it."""
    names = [str(getattr(op, "name", type(op).__name__)) for op in ops]
    earlier = [names[:place].count(name) for place, name in enumerate(names)]
    return [f"{name}#{count + 1}" if count else name for name, count in zip(names, earlier, strict=True)]
