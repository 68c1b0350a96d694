"""Some images of a dataset, as a person wants to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.errors import LeavenError, printable
from leaven_plugins.commands.data.report import label_text
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.sheet import displayable, fitted
from leaven_plugins.datasets.reading import read_sample

if TYPE_CHECKING:
    from leaven.protocols import Dataset, Decoder
    from leaven_plugins.commands.data.survey import Survey

_TILE = 96


def examples(dataset: Dataset, decoder: Decoder, seen: Survey, count: int) -> tuple[list[Pixels], list[str]]:
    """Return up to ``count`` images from all over a dataset, uint8 RGB ``(height, width, 3)``, and their captions.

    Those that cannot be read are left out.
    """
    images, captions = [], []
    for index in dict.fromkeys(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int).tolist()):
        try:
            fields, _, _ = read_sample(dataset, index)
            image = _pixels(fields.get("image"), decoder)
        except LeavenError:  # which the report tells
            continue
        if image is not None:
            images.append(fitted(image, _TILE))
            captions.append(_caption(fields, seen) or str(index))
    return images, captions


def _pixels(image: Any, decoder: Decoder) -> Pixels | None:
    """Return an image as uint8 ``(C, H, W)``, or ``None`` where it is none."""
    if isinstance(image, bytes):
        image = decoder.decode(image).image
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3) or 0 in image.shape:
        return None
    pixels = displayable(image if image.ndim == 3 else image[..., None])
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _caption(fields: dict[Any, Any], seen: Survey) -> str:
    label = fields.get("label")
    if isinstance(label, np.integer):
        label = int(label)
    return printable(label_text(label, seen.names), 16) if isinstance(label, (int, str)) else ""
