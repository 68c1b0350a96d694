"""Twins: keys that appear twice, keys that samples do not have, and images that are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from leaven.errors import printable
from leaven_plugins.commands.data.checks import Seen, about
from leaven_plugins.datasets.findings import Finding


class KeyCheck:
    """Checks that keys are unique, and the same within samples as by the dataset."""

    def __init__(self) -> None:
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
        if own != sample.key:
            text = f"calls itself {printable(str(own), 80)!r}, but {printable(sample.key, 80)!r} in the index"
            yield about(sample, "index", text, "make the index anew, or copy the dataset (--repair)")

    def rest(self) -> Iterator[Finding]:
        """Return nothing: all was said."""
        return iter(())


class ImageTwinCheck:
    """Warns of images of the same bytes."""

    def __init__(self) -> None:
        self._first: dict[bytes, tuple[int, str]] = {}

    def look(self, sample: Seen) -> Iterator[Finding]:
        """Return a warning where an earlier sample has the same image."""
        image = sample.fields.get("image")
        if isinstance(image, bytes) and image:
            digest = hashlib.blake2b(image, digest_size=16).digest()
            index, key = self._first.setdefault(digest, (sample.index, sample.key))
            if index != sample.index:
                text = f"has the same image as sample {index} ({printable(key, 80)})"
                yield about(sample, "twin", text, "leave one of them out (--strict --repair)", warning=True)

    def rest(self) -> Iterator[Finding]:
        """Return nothing: all was said."""
        return iter(())
