"""Losslessly repacking one JPEG, so that parts of it can be decoded alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven_plugins.commands.data.restarts import is_jpeg, restart_interval
from leaven_plugins.datasets.jpeg_index import FIELD, is_index

if TYPE_CHECKING:
    from leaven_plugins.commands.data.turbo import Native

REPACKED, INDEXED, ALREADY = "repacked", "indexed", "already"
"""Outcomes that are no reason to be left alone: rewritten; an index was made only; nothing was to be done."""

OTHER_FIELD = f"has a field {FIELD} of its own"
"""Why an image is left alone whose sample has something else where its index would be."""


class Repacked(NamedTuple):
    """An image, its index where it has one, and the outcome: one of the above, or why it was left alone."""

    image: bytes
    image_index: bytes | None
    outcome: str

    @property
    def changed(self) -> bool:
        """Whether image or index are others now."""
        return self.outcome in (REPACKED, INDEXED)


class Repacker:
    """Makes baseline JPEGs with restart markers of JPEGs; whatever is not exactly the same afterwards stays as it was.

    Args:
        native: the library.
        interval: how many blocks (MCUs) there are between two markers, at most.
        everything: whether all metadata stay. Otherwise the orientation alone does, with the EXIF that it is a part of.
        with_index: whether indices are made.
    """

    def __init__(self, native: Native, interval: int, everything: bool = True, with_index: bool = True) -> None:
        self._native = native
        self._interval = interval
        self._everything = everything
        self._with_index = with_index

    def __call__(self, image: bytes, index: Any = None) -> Repacked:
        """Return the image repacked; ``index`` is the one that it has so far, if any."""
        kept = index if is_index(index) else None
        if not is_jpeg(image):
            return Repacked(image, kept, "not a JPEG")
        try:
            if 0 < restart_interval(image) <= self._interval:
                return self._indexed(image, kept)
            made = self._rewritten(image)
            if not self._native.same_coefficients(image, made):
                return Repacked(image, kept, "not the same afterwards")
            return Repacked(made, self._index_of(made), REPACKED)
        except self._native.JpegError as error:
            return Repacked(image, kept, str(getattr(error, "status", error)))

    def _rewritten(self, image: bytes) -> bytes:
        everything = self._everything
        exif = everything or self._native.info(image)[3] != 1
        return self._native.repack(image, self._interval, exif, everything, everything)

    def _indexed(self, image: bytes, index: bytes | None) -> Repacked:
        if not self._with_index or (index is not None and self._fits(index, image)):
            return Repacked(image, index, ALREADY)
        return Repacked(image, self._index_of(image), INDEXED)

    def _fits(self, index: bytes, image: bytes) -> bool:
        try:
            self._native.check_index(index, image)
        except self._native.JpegError:
            return False
        return True

    def _index_of(self, image: bytes) -> bytes | None:
        return self._native.make_index(image, self._interval) if self._with_index else None


@dataclass
class Tally:
    """What became of images.

    Attributes:
        outcomes: how often each outcome was the one.
        before: size of all images in bytes.
        after: the same afterwards.
        failed: how many were left alone because a file could not be read or written.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    before: int = 0
    after: int = 0
    failed: int = 0

    def add(self, outcome: str, before: int, after: int, failed: bool = False) -> None:
        """Count one image."""
        self.outcomes[outcome] += 1
        self.before += before
        self.after += after
        self.failed += failed

    @property
    def images(self) -> int:
        """How many there were."""
        return self.outcomes.total()

    @property
    def left(self) -> dict[str, int]:
        """Why images were left alone, and how many for each reason."""
        fine = (REPACKED, INDEXED, ALREADY)
        return {outcome: count for outcome, count in self.outcomes.most_common() if outcome not in fine}

    @property
    def changed(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.outcomes[REPACKED] or self.outcomes[INDEXED])
