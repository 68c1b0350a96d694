"""Checking samples: each is read, unpacked, and its encoded images are decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leaven.errors import SampleError
from leaven.stream.quarantine import Listed
from leaven_plugins.commands.data.reading import read_sample

if TYPE_CHECKING:
    from leaven.protocols import Dataset, Decoder


@dataclass
class Checked:
    """What came out.

    Attributes:
        samples: how many were checked.
        images: how many images those have that nothing is wrong with.
        failures: what is wrong with samples, in their order.
        absent: fields that were to be images, and that none of the samples has which could be read.
        fine: those that a quarantine file lists, and that nothing is wrong with.
        missing: those that a quarantine file lists, and that the dataset does not have.
        elsewhere: lines of the quarantine file that are about other datasets.
    """

    samples: int = 0
    images: int = 0
    failures: list[Listed] = field(default_factory=list)
    fine: list[Listed] = field(default_factory=list)
    missing: list[Listed] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    elsewhere: int = 0


def check_samples(
    dataset: Dataset,
    decoder: Decoder,
    indices: Iterable[int],
    keys: Sequence[str],
    advance: Callable[[], None],
    failed: Callable[[Listed], object] | None = None,
) -> Checked:
    """Check the samples at ``indices``; of the fields ``keys``, those of bytes, or lists of these, are images.

    ``advance`` is called after each sample, ``failed`` with each failure when it is found.
    """
    checked = Checked()
    seen: set[str] = set()
    for index in indices:
        checked.samples += 1
        try:
            checked.images += _check(dataset, decoder, index, keys, seen)
        except SampleError as error:
            failure = Listed.of(error, None, dataset)
            if failed is not None:
                failed(failure)
            checked.failures.append(failure)
        advance()
    if checked.samples > len(checked.failures):
        checked.absent = [key for key in keys if key not in seen]
    return checked


def _check(dataset: Dataset, decoder: Decoder, index: int, keys: Sequence[str], seen: set[str]) -> int:
    """Check one sample; return how many images it has, and add those of the ``keys`` that it has to ``seen``."""
    stage, images = "read", 0
    try:
        fields, _, _ = read_sample(dataset, index)
        seen.update(fields.keys() & keys)
        stage = "decode"
        for data in (data for key in keys for data in _encoded(fields.get(key))):
            decoder.decode(data)
            images += 1
    except SampleError:
        raise
    except Exception as error:
        cause = type(error).__name__
        raise SampleError(str(error), index=index, key=_key(dataset, index), stage=stage, cause_type=cause) from error
    return images


def _encoded(value: Any) -> list[bytes]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [data for data in values if isinstance(data, bytes)]


def _key(dataset: Dataset, index: int) -> str:
    try:
        return dataset.key(index)
    except Exception:  # the sample's own error is the one to tell
        return ""
