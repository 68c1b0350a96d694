"""Twins: keys that appear twice, keys that samples do not have, and images that are the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from leaven.errors import printable
from leaven_plugins.commands.data.checks import Seen, about
from leaven_plugins.datasets.findings import Finding


class KeyCheck:
    """Checks that keys are unique, and the same within samples as by the dataset.

    Args:
        numbered: whether the dataset is over others, and tells samples that it shows twice apart by a number: ``a#2``.
    """

    def __init__(self, numbered: bool = False) -> None:
        self._numbered = numbered
        self._first: dict[str, int] = {}
        self._told: set[str] = set()

    def look(self, sample: Seen) -> Iterator[Finding]:
        """Return what is wrong with its key."""
        if sample.key_error and sample.key_error not in self._told:
            self._told.add(sample.key_error)
            text = f"the index does not tell its key: {sample.key_error}"
            yield about(sample, "index", text, "make the index anew, or copy the dataset (--repair)")
        if sample.key_error and not sample.key:
            return
        first = self._first.setdefault(sample.key, sample.index)
        if first != sample.index:
            text = f"has the same key as sample {first}: {printable(sample.key, 80)!r}"
            yield about(sample, "key", text, "give each sample a key of its own, or leave it out (--repair)")
        own = sample.fields.get("key", sample.key)
        if not self._is_meant(own, sample.key):
            text = f"calls itself {printable(str(own), 80)!r}, but {printable(sample.key, 80)!r} in the index"
            yield about(sample, "index", text, "make the index anew, or copy the dataset (--repair)")

    def rest(self) -> Iterator[Finding]:
        """Return nothing: all was said."""
        return iter(())

    def _is_meant(self, own: Any, key: str) -> bool:
        """Return whether a sample that calls itself so may have that key."""
        return own == key or (self._numbered and _plain(str(own)) == _plain(key))


class ImageTwinCheck:
    """Warns of images of the same bytes.

    Args:
        numbered: as for :class:`KeyCheck`; such a sample is no twin of itself.
    """

    def __init__(self, numbered: bool = False) -> None:
        self._numbered = numbered
        self._first: dict[bytes, tuple[int, str]] = {}

    def look(self, sample: Seen) -> Iterator[Finding]:
        """Return a warning where an earlier sample has the same image."""
        image = sample.fields.get("image")
        if isinstance(image, bytes) and image:
            digest = hashlib.blake2b(image, digest_size=16).digest()
            index, key = self._first.setdefault(digest, (sample.index, sample.key))
            if index != sample.index and not (self._numbered and _plain(key) == _plain(sample.key)):
                text = f"has the same image as sample {index} ({printable(key, 80)})"
                yield about(sample, "twin", text, "leave one of them out (--strict --repair)", warning=True)

    def rest(self) -> Iterator[Finding]:
        """Return nothing: all was said."""
        return iter(())


def _plain(key: str) -> str:
    """Return a key without the numbers that views have given it."""
    return re.sub(r"(#\d+)+\Z", "", key)
