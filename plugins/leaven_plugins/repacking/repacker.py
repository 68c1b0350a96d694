"""Losslessly repacking one JPEG, so that parts of it can be decoded alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from leaven_plugins.datasets.jpeg_index import FIELD, is_index
from leaven_plugins.repacking.restarts import is_jpeg, restart_interval

if TYPE_CHECKING:
    from leaven_plugins.repacking.native import Native

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
