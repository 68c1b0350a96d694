"""DecoderContract: what an image worker relies on in a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from leaven.errors import DecodeError
from leaven.protocols import Decoder, DecodeRequest, Drawing, Drawn, Region
from leaven.testing import tools
from leaven.testing.component import ComponentContract


class DecoderContract(ComponentContract):
    """The contract of decoders.

    Attributes:
        encoded: files, each with its pixels ``(height, width, channels)``, RGB where there are three.
        tolerance: by how much decoded values may differ from these.
    """

    encoded: ClassVar[Sequence[tuple[bytes, NDArray[np.uint8]]]] = [
        (tools.png(image), image)
        for image in (tools.picture(), tools.picture(7, 5), tools.picture(1, 1), tools.picture(9, 31, channels=1))
    ]
    tolerance: ClassVar[int] = 0

    @pytest.fixture
    def decoder(self, component: Decoder) -> Decoder:
        """A new decoder."""
        return component

    def test_it_has_what_a_decoder_has(self, decoder: Any) -> None:
        """It reads headers, and pixels."""
        assert isinstance(decoder, Decoder)

    def test_the_header_tells_the_size(self, decoder: Decoder) -> None:
        """Height, width and channels of the header are those of the pixels."""
        for data, image in self.encoded:
            info = decoder.info(data)
            assert (info.height, info.width, info.channels) == image.shape

    def test_pixels_are_as_encoded(self, decoder: Decoder) -> None:
        """Everything at full scale, where neither a region nor a scale was asked for; in colour and as it is."""
        for data, image in self.encoded:
            for color in (True, False):
                decoded = decoder.decode(data, color=color)
                assert decoded.region == Region(0, 0, *image.shape[:2])
                assert decoded.scale == 1
                assert decoded.image.dtype == np.uint8
                assert decoded.image.shape == (*image.shape[:2], 3 if color else image.shape[2])
                self._compare(decoded.image, np.broadcast_to(image, decoded.image.shape))

    def test_a_region_lies_within_what_comes_back(self, decoder: Decoder) -> None:
        """It may return more than was asked for, and says which part of the source it is."""
        for data, image in self.encoded:
            height, width = image.shape[:2]
            asked = Region(height // 4, width // 3, height - height // 4, width - width // 3)
            decoded = decoder.decode(data, region=asked)
            top, left, bottom, right = decoded.region
            assert top <= asked.top
            assert left <= asked.left
            assert bottom >= asked.bottom
            assert right >= asked.right
            expected = np.broadcast_to(image, (*image.shape[:2], 3))[top:bottom, left:right]
            assert decoded.image.shape == expected.shape
            self._compare(decoded.image, expected)

    def test_a_smaller_scale_is_said(self, decoder: Decoder) -> None:
        """The scale is at least what was asked for, and the size fits to it."""
        for data, _ in self.encoded:
            for asked in (0.9, 0.5, 0.3, 0.125):
                decoded = decoder.decode(data, min_scale=asked)
                assert asked <= decoded.scale <= 1
                height = (decoded.region.bottom - decoded.region.top) * decoded.scale
                assert abs(decoded.image.shape[0] - height) < 1

    def test_a_batch_is_what_its_images_are(self, decoder: Any) -> None:
        """``decode_batch``, where there is one, has an entry for each image in order: pixels, or the DecodeError."""
        if not hasattr(decoder, "decode_batch"):
            return
        files = [data for data, _ in self.encoded]
        files.insert(1, b"no image")
        found = list(decoder.decode_batch([DecodeRequest(data) for data in files]))
        assert len(found) == len(files)
        assert isinstance(found.pop(1), DecodeError)
        for (data, _), decoded in zip(self.encoded, found, strict=True):
            assert decoded[1:] == decoder.decode(data)[1:]
            self._compare(decoded.image, decoder.decode(data).image)

    def test_what_it_draws_is_what_it_decodes(self, decoder: Any) -> None:
        """``draw_batch``, where there is one, fills rows with images, also mirrored, and leaves others alone."""
        if not hasattr(decoder, "draw_batch"):
            return
        for data, image in self.encoded:
            height, width, channels = image.shape
            request = DecodeRequest(data, channels == 3)
            identity = np.array([[1.0, 0, 0], [0, 1, 0]])
            mirror = np.array([[-1.0, 0, width], [0, -1, height]])
            for matrix, expected in ((identity, image), (mirror, image[::-1, ::-1])):
                planes = np.full((3, channels, height, width), 7, np.uint8)
                drawing = Drawing(request, matrix, 1, 5, 1, (0, 0, 0, 0))
                (drawn,) = decoder.draw_batch([drawing], planes.transpose(0, 2, 3, 1), None)
                assert (planes[[0, 2]] == 7).all()
                if drawn is not None:
                    assert isinstance(drawn, Drawn)
                    self._compare(planes[1].transpose(1, 2, 0), expected)

    def test_a_drawing_that_fails_costs_no_other(self, decoder: Any) -> None:
        """Garbage is refused or left to :meth:`decode`; the images around it are drawn as they are without it."""
        if not hasattr(decoder, "draw_batch"):
            return
        data = self.encoded[0][0]
        matrix = np.array([[0.7, 0, 1.5], [0, 0.9, 0.5]])
        drawings = [
            Drawing(DecodeRequest(each), matrix, row, row, 1, (1, 2, 3, 0))
            for row, each in enumerate([data, bytes(range(256)), data])
        ]
        out = np.zeros((3, 11, 13, 3), np.uint8)
        words = np.zeros(3, np.int64)
        results = decoder.draw_batch(drawings, out, words.data)
        assert len(results) == 3
        assert not isinstance(results[1], Drawn)
        assert type(results[0]) is type(results[2])
        np.testing.assert_array_equal(out[0], out[2])
        assert words[0] in (0, 3)  # 1 + the sample that it was on last, if it was on any

    @pytest.mark.parametrize("damage", ["empty", "garbage", "half", "header only"])
    def test_damage_is_an_error(self, decoder: Decoder, damage: str) -> None:
        """What is not a whole image raises DecodeError, and nothing else."""
        data = max((data for data, _ in self.encoded), key=len)
        damaged = {"empty": b"", "garbage": bytes(range(256)), "half": data[: len(data) // 2], "header only": data[:33]}
        with pytest.raises(DecodeError):
            decoder.decode(damaged[damage])

    @pytest.mark.parametrize("data", [b"", bytes(range(256))], ids=["empty", "garbage"])
    def test_the_header_of_garbage_is_an_error(self, decoder: Decoder, data: bytes) -> None:
        """What has no header of an image raises DecodeError, and nothing else."""
        with pytest.raises(DecodeError):
            decoder.info(data)

    def _compare(self, decoded: NDArray[Any], expected: NDArray[Any]) -> None:
        difference = np.abs(decoded.astype(int) - expected.astype(int))
        assert difference.max(initial=0) <= self.tolerance
