"""Findings: what is wrong with a dataset, as its format or a look at all samples tells.

A dataset may have a method ``problems() -> Iterable[Finding]`` that says what is wrong with its files themselves: a
checksum that is another one, an index that is cut off, missing, or not that of the data. ``leaven data verify`` calls
it before the samples are read, also where the dataset cannot be opened: nothing but its parameters can be relied on,
and what is wrong becomes a finding, not an exception.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: what it is about in a word, such as ``checksum``, ``index``, ``key``, ``label``.
        text: what is wrong, in lower case, with the values found and expected.
        advice: what to do about it.
        file: the file that it is about, where that is not the whole dataset.
        index: the position of the sample that it is about, or ``None``.
        key: that sample's key, or ``""``.
        offset: where in its file that sample's bytes begin, or ``None``.
        warning: whether the dataset can be used nevertheless.
    """

    kind: str
    text: str
    advice: str = ""
    file: str = ""
    index: int | None = None
    key: str = ""
    offset: int | None = None
    warning: bool = False
