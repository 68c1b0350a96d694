"""Checks: what each sees of every sample, and what it then has to say about some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from leaven_plugins.datasets.findings import Finding


@dataclass(frozen=True, slots=True)
class Seen:
    """A sample that could be read.

    Attributes:
        index: its position.
        key: its key by the dataset; where that cannot be read, by the sample itself.
        fields: what it consists of.
        key_error: why the dataset does not tell its key, or ``""``.
    """

    index: int
    key: str
    fields: Mapping[Any, Any]
    key_error: str = ""

    def without_fields(self) -> Seen:
        """Return what is to be remembered of it."""
        return Seen(self.index, self.key, {})


class Check(Protocol):
    """Looks at samples in their order."""

    def look(self, sample: Seen) -> Iterable[Finding]:
        """Return what is wrong with a sample."""

    def rest(self) -> Iterable[Finding]:
        """Return what only shows once all samples were seen."""


def about(sample: Seen, kind: str, text: str, advice: str = "", warning: bool = False) -> Finding:
    """Return a finding about a sample."""
    return Finding(kind, text, advice, index=sample.index, key=sample.key, warning=warning)
