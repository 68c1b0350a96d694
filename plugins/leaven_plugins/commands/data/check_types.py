"""Types: a field is of the same type in all samples that have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from leaven.errors import printable
from leaven_plugins.commands.data.checks import Seen, about
from leaven_plugins.datasets.findings import Finding

_KEPT = 10_000
"""Samples of each type that are remembered: so many are told."""


class TypeCheck:
    """Checks all fields but ``without``; a field that is missing, or null, is of any type."""

    def __init__(self, without: Collection[str] = ()) -> None:
        self._without = without
        self._fields: dict[str, dict[str, _Group]] = defaultdict(lambda: defaultdict(_Group))

    def look(self, sample: Seen) -> Iterator[Finding]:
        """Take note of the types, and return texts that are none."""
        for name, value in sample.fields.items():
            if isinstance(value, str) and (problem := _undecodable(value)):
                yield about(sample, "text", f"{printable(repr(name), 60)} is not UTF-8: {problem}", "correct the text")
            if isinstance(name, str) and name not in self._without and value is not None:
                self._fields[name][kind_of(value)].add(sample)
        if problem := _undecodable(sample.key):
            yield about(sample, "text", f"its key is not UTF-8: {problem}", "give it another name")

    def rest(self) -> Iterator[Finding]:
        """Return the samples that have another type than most."""
        for name, groups in self._fields.items():
            usual = max(groups, key=lambda kind: groups[kind].count)
            for kind, group in groups.items():
                if kind != usual:
                    text = f"{printable(repr(name), 60)} is {kind}, where {groups[usual].count:,} samples have {usual}"
                    advice = "make it of one type throughout, or leave the sample out (--repair)"
                    yield from (about(sample, "type", text, advice) for sample in group.samples)


class _Group:
    """The samples with one type of a field."""

    def __init__(self) -> None:
        self.count = 0
        self.samples: list[Seen] = []

    def add(self, sample: Seen) -> None:
        self.count += 1
        if len(self.samples) < _KEPT:
            self.samples.append(sample.without_fields())


def kind_of(value: Any) -> str:
    """Return what counts as a type: numpy's integers are integers, and arrays differ by dtype and dimensions."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of {value.ndim} dimensions"
    for kind, types in _KINDS.items():
        if isinstance(value, types):
            return kind
    return type(value).__name__


_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "float": (float, np.floating),
    "str": (str,),
    "bytes": (bytes, bytearray, memoryview),
    "list": (list, tuple),
    "map": (Mapping,),
}


def _undecodable(text: str) -> str | None:
    """Return what is wrong with a text of characters that UTF-8 has not: names of files of other encodings."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"character {error.start} of {printable(ascii(text), 80)}"
    return None
