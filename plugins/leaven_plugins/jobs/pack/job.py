"""Packing: samples read, converted and packed, block by block."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.getters import class_names
from leaven.errors import FormatError, ParameterError, SampleError, listing, suggestion
from leaven.protocols import Dataset
from leaven.stream.wire import pack_sample, unpack_sample
from leaven_plugins.datasets.reading import sample_named
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.jobs.cutting import Cut
from leaven_plugins.jobs.pack.converting import Conversion, Converter
from leaven_plugins.jobs.pack.parts import manifest_of, write_part
from leaven_plugins.repacking.repacker import Repacker
from leaven_plugins.repacking.samples import repacked_image, with_image
from leaven_plugins.repacking.tally import Tally

if TYPE_CHECKING:
    from leaven.protocols import Engine
    from leaven_plugins.jobs.pack.writing import Report


@dataclass(frozen=True)
class Packing:
    """The samples of a dataset, converted and packed: as parts of a block, or as a dataset in a file.

    ::

        small = leaven.create("job:pack", dataset=leaven.open("photos"), resize=256)
        small.write("train.msgpack", workers=8)
        small.modify(resize=[224, 224], encode="png").write("square.hdf5")

    Args:
        dataset: the samples. Each has an ``image``, where anything is to be done to it: an encoded file, an array
            ``(height, width)`` or ``(height, width, channels)`` of uint8 or uint16, or a list of these.
        resize: shrinks images until their shorter side has so many pixels; ``[height, width]`` gives all that size. A
            mask, which is a field ``mask`` or one that ends in ``_image``, is scaled with its image.
        channels: 1 for grey, 3 for RGB, ``None`` for what they have. Where transparency goes, white is behind it.
        encode: ``jpeg`` or ``png``; with ``keep`` PNG stays PNG, and of the rest JPEG is made where it changes. Images
            that need no change keep their bytes.
        quality: of JPEGs that are made, 1 to 100.
        exif: ``keep`` leaves it, and carries it over to images that are made; ``apply`` turns images upright by it, and
            takes all metadata out; ``drop`` takes them out and leaves the pixels as they are stored.
        fields: what of samples is packed besides the key; everything by default.
        jpeg_restart: after how many blocks (MCUs) JPEGs get restart markers, losslessly; 0 leaves them.
        shards: in how many files the samples are put.
        block: how many samples are read, converted and packed at a time; what a killed run loses, and for each worker.

    Raises:
        ParameterError: a value is out of range.
    """

    dataset: Dataset
    resize: int | Sequence[int] | None = None
    channels: int | None = None
    encode: str = "keep"
    quality: int = 95
    exif: str = "keep"
    fields: Sequence[str] = ()
    jpeg_restart: int = 0
    shards: int = 1
    block: int = 256

    def __post_init__(self) -> None:
        self.conversion.check()
        if isinstance(self.fields, str):
            raise ParameterError(f"fields={self.fields!r}: expected a list of names")
        for name, least in (("shards", 1), ("block", 1), ("jpeg_restart", 0)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= 65_535:
                raise ParameterError(f"{name}={value!r}: expected a whole number from {least} to 65535")

    @property
    def conversion(self) -> Conversion:
        """What is to become of images."""
        resize: Any = self.resize if self.resize is None or isinstance(self.resize, int) else tuple(self.resize)
        return Conversion(resize, self.channels, self.encode, self.quality, self.exif)

    @property
    def changes_images(self) -> bool:
        """Whether there is anything to do but to copy."""
        return self.conversion.changes or self.jpeg_restart > 0

    @property
    def cut(self) -> Cut:
        """Which samples are in which block and shard.

        Raises:
            ParameterError: there are more shards than samples.
        """
        total = len(self.dataset)
        if self.shards > max(1, total):
            raise ParameterError(f"shards={self.shards}: there are {total} samples, and none for some of the files")
        return Cut(total, self.block, self.shards)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return self.cut.blocks

    def modify(self, settings: Mapping[str, Any] | None = None, /, **changes: Any) -> Packing:
        """Return a packing with other values of these parameters.

        Raises:
            ParameterError: there is no such parameter, or a value is out of range.
        """
        changes = {**(settings or {}), **changes}
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes.keys() - set(known):
            hint = suggestion(name, known)
            raise ParameterError(f"packing has no parameter {name!r}{hint}; it has: {listing(known)}")
        return Packing(**{name: changes.get(name, getattr(self, name)) for name in known})

    def run(self, block: int, folder: Path) -> Mapping[str, Any]:
        """Pack the samples of a block into a part in ``folder``, and return its manifest; one that is there stays.

        Raises:
            SampleError: a sample cannot be read or converted.
            DatasetError: the part cannot be written.
        """
        known, tally = manifest_of(folder, block), Tally()
        if known is not None:
            return known
        messages = self.messages(self.cut.rows(block), tally)
        made: Mapping[str, Any] = write_part(folder, block, messages, lambda: plain_tally(tally))
        return made

    def messages(self, rows: Iterable[int], tally: Tally) -> Iterator[bytes]:
        """Yield samples as packed messages; count what becomes of JPEGs that get restart markers.

        Raises:
            SampleError: a sample cannot be read or converted.
        """
        changes = self._changes(tally)
        for row in rows:
            yield self._message(row, changes)

    def write(
        self,
        path: str | Path,
        *,
        format: str | None = None,  # noqa: A002 - as the option is called
        engine: Engine | str | Mapping[str, Any] | None = None,
        workers: int | None = None,
        shard: int | None = None,
        overwrite: bool = False,
        options: Mapping[str, Any] | None = None,
        advance: Callable[[int], object] | None = None,
        registry: Any = None,
    ) -> Report:
        """Write a dataset; nothing is at ``path`` until it is complete.

        Images that are to be changed are changed by ``engine``, a block at a time. A block that is done stays in the
        folder ``.NAME.packing`` beside the destination until all are: the same call goes on after a kill. One block is
        written at once, and so are samples that are only copied, unless engine or workers are given.

        Args:
            path: the file. With several shards these are ``STEM_0.EXT``, ``STEM_1.EXT`` ... beside it, each with a
                manifest ``NAME.manifest.json``; a shard that is there, and is the same, is left alone.
            format: name of a dataset component that can be written; otherwise the suffix tells.
            engine: name, table or instance of an engine; by default processes of this machine.
            workers: how many blocks are done at a time.
            shard: writes this one alone, from 0 on.
            overwrite: whether what exists is replaced.
            options: further parameters of the format's ``write``.
            advance: called with a number of samples that are done.
            registry: where names are looked up; by default :func:`leaven.default_registry`.

        Raises:
            ParameterError: there is no such shard or option.
            DatasetError: a file exists or cannot be written, or another process is packing into it.
            SampleError: a sample cannot be read or converted.
        """
        from leaven_plugins.jobs.pack.writing import Destination, write_packed

        destination = Destination(Path(path), format, shard, overwrite, options or {})
        return write_packed(self, destination, engine, workers, advance or (lambda count: None), registry)

    def _changes(self, tally: Tally) -> list[Change]:
        """Return what is done to each sample, in order."""
        names = class_names(self.dataset)
        says_more = list(names) != [str(label) for label in range(len(names))]
        changes: list[Change] = [_Named(names)] if says_more else []
        if self.fields:
            changes.append(_Fields(self.fields))
        if self.conversion.changes:
            changes.append(Converter(OpenCVDecoder(), self.conversion))
        if self.jpeg_restart:
            from leaven_plugins.repacking.native import native

            changes.append(_Restarts(Repacker(native("jpeg_restart"), self.jpeg_restart), tally))
        return changes

    def _message(self, row: int, changes: Sequence[Change]) -> bytes:
        with sample_named(self.dataset, row):
            stored, key = self.dataset.sample(row), self.dataset.key(row)
            fields = dict(stored) if isinstance(stored, Mapping) else unpack_sample(stored)
        if isinstance(stored, Mapping):
            fields.pop("path", None)  # where a file lay on this machine is of no use elsewhere
        elif not changes and fields.get("key") == key:
            return stored
        sample: Mapping[Any, Any] = {"key": key, **{name: value for name, value in fields.items() if name != "key"}}
        for change in changes:
            sample = change(sample, row)
        try:
            return pack_sample(sample)
        except FormatError as error:
            raise SampleError(str(error), index=row, key=key, stage="pack") from error


Change = Callable[[Mapping[Any, Any], int], Mapping[Any, Any]]


def plain_tally(tally: Tally) -> dict[str, Any]:
    """Return a tally as plain data."""
    return {"outcomes": dict(tally.outcomes), "before": tally.before, "after": tally.after}


class _Named:
    """Adds the name of the class, which other formats cannot get from the dataset, where a sample does not have it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __call__(self, sample: Mapping[Any, Any], index: int) -> Mapping[Any, Any]:
        label = sample.get("label")
        if "_label" in sample or not isinstance(label, (int, np.integer)) or not 0 <= label < len(self._names):
            return sample
        return {**sample, "_label": self._names[int(label)]}


class _Fields:
    """Keeps some fields of samples, in their order."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = {"key", *names}

    def __call__(self, sample: Mapping[Any, Any], index: int) -> Mapping[Any, Any]:
        for name in self._names - sample.keys():
            known = [field for field in map(str, sample) if field != "key"]
            text = f"no field {name!r}{suggestion(name, known)}; it has: {listing(known)}"
            raise SampleError(text, index=index, key=str(sample["key"]), stage="read")
        return {name: value for name, value in sample.items() if name in self._names}


class _Restarts:
    """Repacks JPEGs losslessly, and counts what becomes of them."""

    def __init__(self, repacker: Repacker, tally: Tally) -> None:
        self._repacker = repacker
        self._tally = tally

    def __call__(self, sample: Mapping[Any, Any], index: int) -> Mapping[Any, Any]:
        repacked = repacked_image(sample, self._repacker)
        if repacked is None:
            return sample
        self._tally.add(repacked.outcome, len(sample["image"]), len(repacked.image))
        return with_image(sample, repacked) if repacked.changed else sample
