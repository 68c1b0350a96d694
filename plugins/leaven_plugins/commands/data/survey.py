"""What a dataset holds: fields, labels, sizes."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.getters import class_names
from leaven.errors import DecodeError
from leaven_plugins.commands.data.report import spread
from leaven_plugins.datasets.jpeg_index import FIELD, is_index
from leaven_plugins.datasets.reading import read_sample
from leaven_plugins.repacking.restarts import restart_interval

if TYPE_CHECKING:
    from leaven.protocols import Dataset, Decoder


@dataclass
class Survey:
    """What was seen in a dataset.

    Attributes:
        samples: how many there are.
        nbytes: size of all samples: of the messages where they are packed, else of their bytes values.
        fields: field -> type, of the first sample.
        classes: label -> how many samples have it, by label; of labels that are integers or strings.
        names: label -> name of the class, where known.
        image_sizes: ``height`` and ``width`` -> smallest, median and largest in pixels; empty without images.
        images: how many images there are that can be read.
        indexed: how many of these are JPEGs with an index or restart markers.
        unreadable: key -> what is wrong, of samples whose ``image`` is not one.
        sample_bytes: size of each sample.
        shapes: height and width of each image, in pixels.
    """

    samples: int
    nbytes: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    classes: dict[int | str, int] = field(default_factory=dict)
    names: dict[int | str, str] = field(default_factory=dict)
    image_sizes: dict[str, tuple[int, float, int]] = field(default_factory=dict)
    images: int = 0
    indexed: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    sample_bytes: array[int] = field(default_factory=lambda: array("q"))
    shapes: list[tuple[int, int]] = field(default_factory=list)


def survey(dataset: Dataset, decoder: Decoder, advance: Callable[[], None]) -> Survey:
    """Look at all samples; only the heads of images are read. ``advance`` is called after each sample.

    Raises:
        DatasetError: the dataset cannot be opened.
        SampleError: a sample cannot be read.
    """
    seen = Survey(len(dataset))
    labels: Counter[int | str] = Counter()
    for index in range(seen.samples):
        fields, _, nbytes = read_sample(dataset, index)
        seen.sample_bytes.append(nbytes)
        seen.fields = seen.fields or {str(name): described(value) for name, value in fields.items()}
        _count_label(fields, labels, seen.names)
        try:
            seen.shapes += _shapes(fields.get("image"), decoder)
            seen.indexed += isinstance(fields.get("image"), bytes) and _is_indexed(fields)
        except DecodeError as error:
            seen.unreadable[dataset.key(index)] = str(error)
        advance()
    seen.classes = dict(sorted(labels.items(), key=lambda item: (isinstance(item[0], str), item[0])))
    seen.names = {**dict(enumerate(class_names(dataset))), **seen.names}
    seen.nbytes = sum(seen.sample_bytes)
    seen.images = len(seen.shapes)
    if seen.shapes:
        heights, widths = zip(*seen.shapes, strict=True)
        seen.image_sizes = {"height": spread(heights), "width": spread(widths)}
    return seen


def described(value: Any) -> str:
    """Return the type of a field's value in a few words, such as ``float32 array (16, 4)``."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array {value.shape}"
    if isinstance(value, np.generic):
        return str(value.dtype)
    if isinstance(value, (list, tuple)):
        return f"list of {len(value)}"
    if isinstance(value, Mapping):
        return f"map of {len(value)}"
    return "null" if value is None else type(value).__name__


def _count_label(fields: Mapping[Any, Any], labels: Counter[int | str], names: dict[int | str, str]) -> None:
    label = fields.get("label")
    if isinstance(label, np.integer):
        label = int(label)
    if not isinstance(label, (int, str)):
        return
    labels[label] += 1
    if isinstance(fields.get("_label"), str):
        names[label] = fields["_label"]


def _is_indexed(fields: Mapping[Any, Any]) -> bool:
    return is_index(fields.get(FIELD)) or restart_interval(fields["image"]) > 0


def _shapes(image: Any, decoder: Decoder) -> list[tuple[int, int]]:
    """Return height and width of an image, encoded or ``(H, W)`` or ``(H, W, C)``; nothing of what is none.

    Raises:
        DecodeError: the bytes are no image.
    """
    if isinstance(image, bytes):
        info = decoder.info(image)
        return [(info.height, info.width)]
    return [image.shape[:2]] if isinstance(image, np.ndarray) and image.ndim in (2, 3) else []
