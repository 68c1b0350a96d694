"""Checking samples: each is read, unpacked, its encoded images are decoded, and checks look at its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from leaven.errors import SampleError
from leaven.stream.quarantine import Listed
from leaven_plugins.commands.data.checks import Check, Seen
from leaven_plugins.datasets.findings import Finding
from leaven_plugins.datasets.reading import read_sample

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
        findings: what the checks, and the dataset itself, have to say.
    """

    samples: int = 0
    images: int = 0
    failures: list[Listed] = field(default_factory=list)
    fine: list[Listed] = field(default_factory=list)
    missing: list[Listed] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    elsewhere: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def faults(self) -> list[Finding]:
        """The findings that are more than warnings."""
        return [finding for finding in self.findings if not finding.warning]

    @property
    def unusable(self) -> set[int]:
        """The positions of samples that cannot be used; those with another key in the index can."""
        found = {finding.index for finding in self.faults if finding.kind != "index"}
        found |= {failure.index for failure in self.failures}
        return {index for index in found if index is not None}


def check_samples(
    dataset: Dataset,
    decoder: Decoder,
    indices: Iterable[int],
    keys: Sequence[str],
    advance: Callable[[], None],
    failed: Callable[[Listed], object] | None = None,
    checks: Sequence[Check] = (),
) -> Checked:
    """Check the samples at ``indices``; of the fields ``keys``, those of bytes, or lists of these, are images.

    ``advance`` is called after each sample, ``failed`` with each failure when it is found. What ``checks`` have to say
    is about samples that nothing of this is wrong with.
    """
    checked = Checked()
    seen: set[str] = set()
    for index in indices:
        checked.samples += 1
        try:
            sample, images = _check(dataset, decoder, index, keys, seen)
            checked.images += images
            for check in checks:
                checked.findings += check.look(sample)
        except SampleError as error:
            failure = Listed.of(error, None, dataset)
            if failed is not None:
                failed(failure)
            checked.failures.append(failure)
        advance()
    if checked.samples > len(checked.failures):
        checked.absent = [key for key in keys if key not in seen]
    checked.findings += (finding for check in checks for finding in check.rest())
    checked.findings = [_located(finding, dataset) for finding in checked.findings]
    return checked


def _check(dataset: Dataset, decoder: Decoder, index: int, keys: Sequence[str], seen: set[str]) -> tuple[Seen, int]:
    """Check one sample; return it, and how many images it has; add those of the ``keys`` that it has to ``seen``."""
    stage, images = "read", 0
    try:
        fields, _, _ = read_sample(dataset, index)
        seen.update(fields.keys() & keys)
        stage = "decode"
        for data in (data for name in keys for data in _encoded(fields.get(name))):
            decoder.decode(data)
            images += 1
    except SampleError:
        raise
    except Exception as error:
        cause = type(error).__name__
        raise SampleError(str(error), index=index, key=_key(dataset, index), stage=stage, cause_type=cause) from error
    return _seen(dataset, index, fields), images


def _seen(dataset: Dataset, index: int, fields: Mapping[Any, Any]) -> Seen:
    try:
        return Seen(index, dataset.key(index), fields)
    except Exception as error:  # the check of keys tells it
        return Seen(index, str(fields.get("key", "")), fields, str(error) or type(error).__name__)


def _located(finding: Finding, dataset: Dataset) -> Finding:
    """Return the finding with the offset of its sample, where the dataset knows that."""
    offset = getattr(dataset, "offset", None)
    if offset is None or finding.index is None:
        return finding
    try:
        return replace(finding, offset=int(offset(finding.index)))
    except Exception:  # a fault in the index, which is told as such
        return finding


def _encoded(value: Any) -> list[bytes]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [data for data in values if isinstance(data, bytes)]


def _key(dataset: Dataset, index: int) -> str:
    try:
        return dataset.key(index)
    except Exception:  # the sample's own error is the one to tell
        return ""
