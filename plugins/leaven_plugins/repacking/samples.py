"""The image of a sample repacked, and the sample with it in place of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven_plugins.datasets.jpeg_index import FIELD, is_index
from leaven_plugins.repacking.repacker import OTHER_FIELD, Repacked, Repacker


def repacked_image(sample: Mapping[Any, Any], repacker: Repacker) -> Repacked | None:
    """Return what becomes of a sample's ``image``, or ``None`` where there is none that is encoded."""
    image, index = sample.get("image"), sample.get(FIELD)
    if not isinstance(image, bytes):
        return None
    if FIELD in sample and not is_index(index):
        return Repacked(image, None, OTHER_FIELD)
    return repacker(image, index)


def with_image(sample: Mapping[Any, Any], repacked: Repacked) -> Mapping[Any, Any]:
    """Return the sample with the image and its index in place of its own."""
    index = {} if repacked.image_index is None else {FIELD: repacked.image_index}
    rest = {name: value for name, value in sample.items() if name != FIELD}
    return {**rest, "image": repacked.image, **index}
