"""The samples of a dataset as they are to be packed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from leaven_plugins.commands.data.parallel import ordered
from leaven_plugins.commands.data.reading import read_sample
from leaven_plugins.commands.data.repacking import OTHER_FIELD, Repacked, Repacker, Tally
from leaven_plugins.datasets.jpeg_index import FIELD, is_index

if TYPE_CHECKING:
    from leaven.protocols import Dataset

Change = Callable[[Mapping[Any, Any], int], Mapping[Any, Any]]


def samples_of(dataset: Dataset, change: Change | None, advance: Callable[[], None]) -> Iterator[Mapping[Any, Any]]:
    """Yield all samples, with their keys, after ``change(sample, index)``; call ``advance`` after each.

    Raises:
        DatasetError: the dataset cannot be opened.
        SampleError: a sample cannot be read, or ``change`` refuses it.
    """
    for index in range(len(dataset)):
        fields, packed, _ = read_sample(dataset, index)
        if not packed:
            fields.pop("path", None)  # where a file lay on this machine is of no use elsewhere
        sample = {"key": dataset.key(index), **fields}
        yield sample if change is None else change(sample, index)
        advance()


def repacked_samples(
    samples: Iterable[Mapping[Any, Any]], repacker: Repacker, tally: Tally, jobs: int | None = None
) -> Iterator[Mapping[Any, Any]]:
    """Yield the samples with their ``image`` repacked, and its index beside it, by several threads; count them."""

    def change(sample: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], Repacked | None]:
        return sample, repacked_image(sample, repacker)

    for sample, repacked in ordered(change, samples, jobs):
        if repacked is None:
            yield sample
        else:
            tally.add(repacked.outcome, len(sample["image"]), len(repacked.image))
            yield with_image(sample, repacked) if repacked.changed else sample


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
