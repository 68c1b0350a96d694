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
        fine: those that a quarantine file lists, and that nothing is wrong with.
        missing: those that a quarantine file lists, and that the dataset does not have.
    """

    samples: int = 0
    images: int = 0
    failures: list[Listed] = field(default_factory=list)
    fine: list[Listed] = field(default_factory=list)
    missing: list[Listed] = field(default_factory=list)


def check_samples(
    dataset: Dataset,
    decoder: Decoder,
    indices: Iterable[int],
    keys: Sequence[str],
    advance: Callable[[], None],
) -> Checked:
    """Check the samples at ``indices``; of the fields ``keys``, those of bytes, or lists of these, are images.

    ``advance`` is called after each sample.
    """
    checked = Checked()
    for index in indices:
        checked.samples += 1
        try:
            checked.images += _check(dataset, decoder, index, keys)
        except SampleError as error:
            checked.failures.append(Listed.of(error, None, dataset))
        advance()
    return checked


def _check(dataset: Dataset, decoder: Decoder, index: int, keys: Sequence[str]) -> int:
    """Check one sample; return how many images it has."""
    stage, images = "read", 0
    try:
        fields, _, _ = read_sample(dataset, index)
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
