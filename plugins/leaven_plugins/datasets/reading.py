"""Reading a sample of any dataset as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.errors import DatasetError, FormatError, SampleError
from leaven.stream.wire import unpack_sample

if TYPE_CHECKING:
    from leaven.protocols import Dataset


class Content(NamedTuple):
    """A sample: its ``fields``, whether it was ``packed``, and its size (of the message, else of its bytes values)."""

    fields: dict[Any, Any]
    packed: bool
    nbytes: int


def read_sample(dataset: Dataset, index: int) -> Content:
    """Return a sample.

    Raises:
        SampleError: it cannot be read or unpacked; the text has its key where that can be read.
    """
    with sample_named(dataset, index):
        content = dataset.sample(index)
        if isinstance(content, Mapping):
            return Content(dict(content), False, sum(len(part) for part in content.values() if isinstance(part, bytes)))
        return Content(unpack_sample(content), True, len(content))


@contextmanager
def sample_named(dataset: Dataset, index: int) -> Iterator[None]:
    """Context in which an error of a dataset becomes a SampleError of the sample that is being read."""
    try:
        yield
    except DatasetError as error:
        stage = "unpack" if isinstance(error, FormatError) else "read"
        raise SampleError(str(error), index=index, key=_key(dataset, index), stage=stage) from error


def _key(dataset: Dataset, index: int) -> str:
    try:
        return dataset.key(index)
    except DatasetError:
        return ""
