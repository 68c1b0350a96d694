"""Converting the images of samples before they are packed: size, channels, encoding, metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import DecodeError, ParameterError, SampleError, listing
from leaven.protocols import Decoder
from leaven_plugins.datasets.jpeg_index import FIELD, is_index
from leaven_plugins.jobs.pack import metadata, pixels

_ENCODINGS = ("keep", "jpeg", "png")
_EXIF = ("keep", "apply", "drop")
_PLACES = ("boxes", "bbox", "bboxes", "experiments", "keypoints", "landmarks", "locations", "points")

Size = tuple[int, int]


class Conversion(NamedTuple):
    """What is to become of images; the fields are those of ``job:pack``."""

    resize: int | Size | None = None
    channels: int | None = None
    encode: str = "keep"
    quality: int = 95
    exif: str = "keep"

    @property
    def changes_pixels(self) -> bool:
        """Whether images have to be decoded."""
        return self.resize is not None or self.channels is not None or self.encode != "keep"

    @property
    def changes(self) -> bool:
        """Whether anything is asked for."""
        return self.changes_pixels or self.exif != "keep"

    def check(self) -> None:
        """Raise a :class:`~leaven.errors.ParameterError` where a value is out of range."""
        sides = self.resize if isinstance(self.resize, tuple) else () if self.resize is None else (self.resize,) * 2
        if any(type(side) is not int or not 1 <= side <= 65_535 for side in sides) or len(sides) not in (0, 2):
            raise ParameterError(f"resize must be 1 to 65535 pixels, or (height, width), not {self.resize!r}")
        if self.channels not in (None, 1, 3):
            raise ParameterError(f"channels={self.channels!r}: expected 1 (grey), 3 (RGB), or None to leave them")
        if type(self.quality) is not int or not 1 <= self.quality <= 100:
            raise ParameterError(f"quality={self.quality!r}: expected 1 to 100")
        for name, value, known in (("encode", self.encode, _ENCODINGS), ("exif", self.exif, _EXIF)):
            if value not in known:
                raise ParameterError(f"{name}={value!r}: expected one of: {listing(known)}")


class _Scaled(NamedTuple):
    """The size of an image before and afterwards."""

    before: Size
    after: Size


class Converter:
    """Converts the images of samples; a pure function of each sample.

    ``image`` is an encoded file, an array ``(height, width)`` or ``(height, width, channels)``, or a list of either.
    Fields that are called ``mask`` or end in ``_image`` are masks: they are scaled with it, and nothing else.
    """

    def __init__(self, decoder: Decoder, wanted: Conversion) -> None:
        self._decoder = decoder
        self._wanted = wanted
        self._stage = "resize" if wanted.resize is not None else "convert"

    def __call__(self, sample: Mapping[Any, Any], index: int) -> Mapping[Any, Any]:
        """Return the sample with its images converted; the same object where nothing was to be done.

        Raises:
            SampleError: there is no image that can be decoded, or another field would no longer fit it.
        """
        key = str(sample.get("key", ""))
        try:
            return self._converted(sample)
        except DecodeError as error:
            raise SampleError(str(error), index=index, key=key, stage="decode", cause_type="DecodeError") from error
        except _Refused as error:
            raise SampleError(str(error), index=index, key=key, stage=self._stage) from error

    def _converted(self, sample: Mapping[Any, Any]) -> Mapping[Any, Any]:
        value = sample.get("image")
        frames = value if isinstance(value, (list, tuple)) else [value]
        if not frames or not all(isinstance(frame, (bytes, np.ndarray)) for frame in frames):
            raise _Refused(f"no bytes under 'image' to {self._stage}")
        sizes: list[_Scaled] = []
        made = [self._frame(frame, sizes) for frame in frames]
        if all(new is old for new, old in zip(made, frames, strict=True)):
            return sample
        image = made if isinstance(value, (list, tuple)) else made[0]
        fields = {name: part for name, part in sample.items() if name != FIELD or not is_index(part)}
        return {**fields, **self._others(sample, sizes), "image": image}

    def _frame(self, frame: Any, sizes: list[_Scaled]) -> Any:
        if isinstance(frame, bytes):
            return self._file(frame, sizes)
        image = pixels.checked(frame)
        size = self._size(image.shape[:2])
        sizes.append(_Scaled(image.shape[:2], size))
        made = self._with_channels(pixels.scaled(image, size))
        if self._wanted.encode == "keep":
            return frame if made is image else made
        return pixels.encoded(made, self._wanted.encode, self._wanted.quality)

    def _file(self, data: bytes, sizes: list[_Scaled]) -> bytes:
        wanted, stored = self._wanted, data
        if wanted.exif == "drop":
            data = metadata.stripped(data)  # before it is decoded, so that the orientation plays no part
        info = self._decoder.info(data)
        before = (info.height, info.width)
        after = self._size(before)
        sizes.append(_Scaled(before, after))
        if not wanted.changes_pixels and self._fits(data, info.orientation):
            return metadata.stripped(data) if wanted.exif == "apply" else data
        scale = min(1.0, max(after[0] / before[0], after[1] / before[1]))
        image = pixels.checked(self._decoder.decode(data, color=False, min_scale=scale).image)
        made = self._with_channels(image)
        name = self._encoding(data)
        if after == before and made is image and self._is(data, name) and self._fits(data, info.orientation):
            return metadata.stripped(data) if wanted.exif == "apply" else data
        file = pixels.encoded(pixels.scaled(made, after), name, wanted.quality)
        exif = metadata.exif_of(stored) if wanted.exif == "keep" else b""
        return metadata.with_exif(file, metadata.upright(exif)) if exif else file

    def _fits(self, data: bytes, orientation: int) -> bool:
        """Whether the file may stay as it is, as far as metadata are concerned."""
        if self._wanted.exif == "keep":
            return True
        return metadata.holds_metadata(data) and (self._wanted.exif == "drop" or orientation == 1)

    def _encoding(self, data: bytes) -> str:
        if self._wanted.encode != "keep":
            return self._wanted.encode
        return "png" if data.startswith(metadata.PNG) else "jpeg"

    def _is(self, data: bytes, name: str) -> bool:
        """Whether a file needs no other encoding."""
        signature = metadata.PNG if name == "png" else metadata.JPEG
        return self._wanted.encode == "keep" or data.startswith(signature)

    def _with_channels(self, image: pixels.Image) -> pixels.Image:
        return image if self._wanted.channels is None else pixels.with_channels(image, self._wanted.channels)

    def _size(self, size: Sequence[int]) -> Size:
        height, width = size
        resize = self._wanted.resize
        if isinstance(resize, tuple):
            return resize
        scale = 1.0 if resize is None else min(1.0, resize / min(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

    # ---- what lies beside the image

    def _others(self, sample: Mapping[Any, Any], sizes: Sequence[_Scaled]) -> dict[Any, Any]:
        """Return the fields that have to be scaled with the image."""
        if all(size.before == size.after for size in sizes):
            return {}
        others = {}
        for name, value in sample.items():
            if name == "image":
                continue
            if name in _PLACES:
                raise _Refused(f"{name!r} has places within the image, which are not scaled with it")
            if is_mask(name):
                others[name] = self._masks(name, value, sizes)
            elif self._holds_image(value, sizes):
                raise _Refused(f"'image' and masks alone can be resized, but {name!r} is an image as well")
        return others

    def _masks(self, name: str, value: Any, sizes: Sequence[_Scaled]) -> Any:
        if not isinstance(value, (list, tuple)):
            if len(set(sizes)) > 1:
                raise _Refused(f"{name!r} is one mask for images of several sizes")
            return self._mask(name, value, sizes[0])
        if len(sizes) not in (1, len(value)):
            raise _Refused(f"{name!r} has {len(value)} masks for {len(sizes)} images")
        each = sizes if len(sizes) == len(value) else [sizes[0]] * len(value)
        return [self._mask(name, mask, size) for mask, size in zip(value, each, strict=True)]

    def _mask(self, name: str, value: Any, size: _Scaled) -> Any:
        if value is None:
            return None
        if not isinstance(value, (bytes, np.ndarray)):
            raise _Refused(f"{name!r} is a {type(value).__name__}, not a mask that could be scaled with the image")
        decoded = self._decoder.decode(value, color=False).image if isinstance(value, bytes) else value
        if decoded.shape[:2] != size.before:
            sizes = f"{decoded.shape[0]} x {decoded.shape[1]}, the image {size.before[0]} x {size.before[1]}"
            raise _Refused(f"{name!r} does not lie on the image: it has {sizes} pixels")
        if isinstance(value, bytes):
            return pixels.encoded(pixels.scaled_mask(pixels.checked(decoded), size.after), "png", 0)
        made = pixels.scaled_mask(value, size.after)
        return made[..., 0] if made.ndim > value.ndim else made

    def _holds_image(self, value: Any, sizes: Sequence[_Scaled]) -> bool:
        if isinstance(value, (list, tuple)):
            return any(self._holds_image(part, sizes) for part in value)
        if isinstance(value, np.ndarray):
            return value.ndim in (2, 3) and any(value.shape[:2] == size.before for size in sizes)
        try:
            return isinstance(value, bytes) and bool(self._decoder.info(value))
        except DecodeError:
            return False


def is_mask(name: Any) -> bool:
    """Return whether a field is taken for a mask, or a list of masks, by its name."""
    return isinstance(name, str) and (name == "mask" or name.endswith(("_image", "_images")))


class _Refused(Exception):
    """A sample is not converted; the text says why. Callers get a SampleError."""
