"""The first images of a loader, with something to call each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import LeavenError, ParameterError
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.commands.show.layers import Shown, shown
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.commands.show.rows import joined, rows_of
from leaven_plugins.commands.show.sheet import arranged

_SMALL = 96
"""Up to this size images are enlarged on a sheet, above it reduced to twice of it."""


class Names(NamedTuple):
    """What to call things: the keys of the first samples, and the classes by their labels."""

    keys: Sequence[str] = ()
    classes: Sequence[str] = ()


class Captioned(NamedTuple):
    """What can be seen of some rows, and a caption for each."""

    shown: Shown
    captions: list[str]


def first_images(loader: TurboDataLoader, count: int, key: str = "image", names: Names | None = None) -> Captioned:
    """Return the first ``count`` images of the loader's next epoch, or all if there are fewer.

    Args:
        loader: with a feed of numpy arrays.
        count: at least 1.
        key: of the images, ``(rows, C, H, W)``.
        names: what to call samples and labels; by default their numbers.

    Raises:
        LeavenError: samples have no such images, or there are no samples.
        ParameterError: ``count`` is below 1.
    """
    if count < 1:
        raise ParameterError(f"{count} images: at least 1 is needed for a sheet")
    found: list[Mapping[str, Any]] = []
    with loader:
        for _, mini_batches in loader:
            found.extend(joined([sample]) for sample in mini_batches)  # copies, so that the slots are free again
            if sum(map(rows_of, found)) >= count:
                break
        if not found:
            raise LeavenError("there are no samples to show")
        sample = joined(found, count)
    captions = captions_of(sample, rows_of(sample), names or Names())
    return Captioned(shown(sample, tile_for(sample, key), key), captions)


def variants_of(replay: Replay, count: int, index: int = 0) -> Captioned:
    """Return one sample as it is in the first ``count`` epochs; errors as those of ``replay``."""
    sample = joined([replay.sample(epoch, index) for epoch in range(count)])
    return Captioned(shown(sample, tile_for(sample)), [f"epoch {epoch}" for epoch in range(count)])


def captions_of(sample: Mapping[str, Any], rows: int, names: Names) -> list[str]:
    """Return a caption for each row: its label where it has a single one, else its key or its number."""
    labels = sample.get("label")
    if isinstance(labels, np.ndarray) and labels.size == rows:
        return [_label_text(label, names.classes) for label in labels.reshape(rows).tolist()]
    keys = sample.get("key", names.keys)
    return [str(key) for key in keys[:rows]] if len(keys) >= rows else [f"image {row}" for row in range(rows)]


def _label_text(label: Any, classes: Sequence[str]) -> str:
    known = isinstance(label, int) and 0 <= label < len(classes) and classes[label] != str(label)
    return f"label {label}: {classes[label]}" if known else f"label {label}"


def sheet_of(found: Captioned, title: str, columns: int | None = None) -> Pixels:
    """Return the contact sheet of images of any size."""
    return arranged(found.shown.pictures, found.captions, columns, title, found.shown.legend)


def tile_for(sample: Mapping[str, Any], key: str = "image") -> int:
    """Return how large the images of a batch are on a sheet: the longer side, in pixels."""
    longer = max(np.shape(sample.get(key, ()))[-2:], default=_SMALL)
    return _SMALL if longer <= _SMALL else 2 * _SMALL
