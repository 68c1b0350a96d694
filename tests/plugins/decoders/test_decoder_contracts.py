from __future__ import annotations

import cv2

from leaven.testing import DecoderContract
from leaven.testing.tools import picture


def jpeg(image):
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()


def smooth(height, width, channels=3):
    return cv2.GaussianBlur(picture(height, width, channels), (0, 0), 4).reshape(height, width, channels)


class TestPNG(DecoderContract):
    spec = "decoder:opencv"


class TestJPEG(DecoderContract):
    spec = "decoder:opencv"
    encoded = [(jpeg(image), image) for image in (smooth(64, 48), smooth(33, 71), smooth(40, 40, 1))]
    tolerance = 6
