"""The first samples of a dataset: fields, types, sizes and shortened values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.errors import LeavenError, printable
from leaven_plugins.commands.data.report import size_text
from leaven_plugins.commands.data.survey import described
from leaven_plugins.datasets.reading import read_sample

if TYPE_CHECKING:
    from rich.console import Console

    from leaven.protocols import Dataset, Decoder


@dataclass(frozen=True)
class Shown:
    """One field: its ``type`` in words, its size in ``bytes`` where it has one, and its ``value``, shortened."""

    type: str
    bytes: int | None
    value: str


@dataclass(frozen=True)
class ShownSample:
    """One sample, or the ``error`` that says why it cannot be read."""

    index: int
    key: str
    fields: dict[str, Shown] = field(default_factory=dict)
    error: str | None = None

    def report(self) -> dict[str, Any]:
        """Return the same for programs."""
        return asdict(self)


def first_samples(dataset: Dataset, decoder: Decoder, count: int, most: int) -> list[ShownSample]:
    """Return the first ``count`` samples, with ``most`` characters of a value.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    return [_shown(dataset, decoder, index, most) for index in range(min(count, len(dataset)))]


def print_samples(samples: list[ShownSample], total: int, console: Console) -> None:
    """Print samples for people; ``total``: how many there are."""
    from leaven.cli.output import heading, table

    for sample in samples:
        console.print(heading(f"sample {sample.index}", printable(sample.key)))
        if sample.error is not None:
            console.print(f"cannot be read: {printable(sample.error)}", markup=False)
            continue
        rows = [
            (printable(name, 30), shown.type, "" if shown.bytes is None else size_text(shown.bytes), shown.value)
            for name, shown in sample.fields.items()
        ]
        console.print(table(("field", "type", "size", "value"), rows))
    console.print(f"{len(samples):,} of {total:,} samples")


def _shown(dataset: Dataset, decoder: Decoder, index: int, most: int) -> ShownSample:
    key = ""
    try:
        key = dataset.key(index)
        fields, _, _ = read_sample(dataset, index)
    except LeavenError as error:
        return ShownSample(index, key, error=str(error))
    shown = {
        str(name): Shown(described(value), _size(value), _text(value, decoder, most)) for name, value in fields.items()
    }
    return ShownSample(index, key, shown)


def _size(value: Any) -> int | None:
    if isinstance(value, np.ndarray):
        return value.nbytes
    return len(value) if isinstance(value, bytes) else None


def _text(value: Any, decoder: Decoder, most: int) -> str:
    """Return a value as text of about ``most`` characters."""
    if isinstance(value, bytes):
        return _bytes_text(value, decoder, most)
    if isinstance(value, np.ndarray):
        return _array_text(value, most)
    if isinstance(value, Mapping):
        return printable(", ".join(map(str, value)), most)
    return printable(value if isinstance(value, str) else str(value), most)


def _bytes_text(value: bytes, decoder: Decoder, most: int) -> str:
    """Return what an image says of itself, and of other bytes the first ones."""
    try:
        info = decoder.info(value)
    except LeavenError:
        return printable(repr(value[: most + 1])[2:-1], most)
    kind = next((name for name, magic in _KINDS.items() if value.startswith(magic)), "image")
    turned = f", EXIF orientation {info.orientation}" if info.orientation != 1 else ""
    return f"{kind}, {info.height} x {info.width} pixels, {info.channels} channel{'s' * (info.channels != 1)}{turned}"


_KINDS = {"JPEG": b"\xff\xd8", "PNG": b"\x89PNG", "GIF": b"GIF8", "BMP": b"BM", "WebP": b"RIFF"}


def _array_text(value: np.ndarray[Any, Any], most: int) -> str:
    """Return the smallest and largest of many numbers, and few numbers as they are."""
    if value.size > 8 and value.dtype.kind in "biuf":
        return f"{float(value.min()):g} to {float(value.max()):g}, mean {float(value.mean()):g}"
    return printable(" ".join(map(str, value.ravel()[:most])), most)
