"""Images: how they are decoded, what is drawn for them, and what is done to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaven.stream.buffers import BufferSpec

    Image = NDArray[Any]


class ImageInfo(NamedTuple):
    """What is known of an encoded image before its pixels are decoded.

    ``height`` and ``width`` are pixels after the EXIF ``orientation`` (1-8) has been applied.
    """

    height: int
    width: int
    channels: int
    orientation: int = 1


class Region(NamedTuple):
    """A rectangle of pixels: rows ``top <= y < bottom``, columns ``left <= x < right``."""

    top: int
    left: int
    bottom: int
    right: int


class Decoded(NamedTuple):
    """Pixels, and which part of the source they show.

    ``image`` is ``(height, width, channels)``. ``region`` is the part of the source (in its own pixels) that it
    covers, ``scale`` how many decoded pixels stand for one of the source (1, 1/2, 1/4, 1/8): a decoder may return more
    than it was asked for, and says so here.
    """

    image: Image
    region: Region
    scale: float


class DecodeRequest(NamedTuple):
    """What is wanted of one encoded image; the fields are the arguments of :meth:`Decoder.decode`.

    ``index`` is what some decoder made of the image before and stored beside it, to find its parts; others need not
    understand it.
    """

    data: bytes
    color: bool = True
    region: Region | None = None
    min_scale: float = 1.0
    index: bytes | None = None  # type: ignore[assignment]  # hides tuple.index, which nobody needs


class Drawing(NamedTuple):
    """A crop of one encoded image, scaled and perhaps mirrored, that is to fill a row of an array.

    ``matrix`` leads from points of the row to points of the upright image, its corner being (0, 0), as in
    :mod:`leaven_plugins.ops.geometry`; it has no rotation and no shear. The request's ``region`` is that of the matrix
    whatever it says. ``row`` is which one of the array, ``sample`` the sample's position in the dataset; ``background``
    has four values, of which those of the first channels count.
    """

    request: DecodeRequest
    matrix: NDArray[np.float64]
    row: int
    sample: int
    interpolation: int
    background: Sequence[float]


class Drawn(NamedTuple):
    """That an image was drawn; ``resampling_ns`` of the time went into resampling what had been decoded."""

    resampling_ns: int


@runtime_checkable
class Decoder(Protocol):
    """Turns encoded bytes into pixels.

    A decoder that is faster for many images at once has ``decode_batch(requests: Sequence[DecodeRequest])`` as well,
    which yields a :class:`Decoded` for each request in order, and the :class:`~leaven.errors.DecodeError` itself in the
    place of an image that cannot be decoded. What it raises is the error of all images that are left.

    One that can put a crop straight into its place has ``draw_batch(drawings: Sequence[Drawing], out, progress)``.
    ``out`` is an array of uint8, ``(rows, height, width, 1 or 3)`` with any strides; ``progress`` is that of
    :class:`~leaven.stream.worker.Request`. It returns, for each drawing, :class:`Drawn`, a ``DecodeError``, or ``None``
    for one that is to be decoded the other way; what it raises is the error of all of them. Pixels have to be a
    function of the drawing alone.

    One that counts what it does has ``tally() -> Mapping[str, int]``, which returns how often what has happened since
    it was called last.
    """

    def info(self, data: bytes) -> ImageInfo:
        """Read the header only; raise :class:`~leaven.errors.DecodeError` where it is not an image."""

    def decode(
        self, data: bytes, *, color: bool = True, region: Region | None = None, min_scale: float = 1.0
    ) -> Decoded:
        """Return at least ``region`` (default: everything) at a scale of at least ``min_scale``.

        ``color=True`` gives uint8 RGB; ``color=False`` keeps depth and channels of the file.
        """


@runtime_checkable
class Rng(Protocol):
    """Draws the augmentation parameters of one sample.

    Two more methods are called where there are such: ``at_epoch(epoch) -> Rng`` returns what draws in one epoch, and
    ``check(fixed, keys)`` raises a :class:`~leaven.errors.ParameterError` where the names of the worker's fixed
    parameters, or of the keys that its ops read, do not go together with what is drawn.
    """

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters for an image like ``info`` that is to fill a row like ``spec``.

        Only ``random`` may be used as a source of chance.
        """


@runtime_checkable
class Op(Protocol):
    """A pure function of one image and of drawn values.

    A class may have an attribute ``example``: the parameters, as a mapping, with which an op shows what it does, for
    ``leaven show augment`` and ``leaven bench ops``. Otherwise these make it without any. The same holds for RNGs.

    An op may further have ``geometric = True`` (it moves what an image shows, so masks must go through it as well),
    ``keeps_size = False`` (only ``Compose`` takes it) and ``apply_frames(frames, values, random)``, where a sequence is
    more to it than one frame after the other.
    """

    keys: tuple[str, ...]
    """The draw's keys that ``apply`` reads."""

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return values for ``keys``; called when the RNG gave none of them."""

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether ``apply`` would change anything."""

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the changed image, of the same shape and dtype; the one passed in is not touched.

        Its memory is used again for later images: what an op keeps of it has to be a copy.
        """
