"""What is decoded at a smaller scale, and drawn, is nearer to a perfect picture than what is decoded in full."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven_plugins.datasets.shapes import ShapesDataset
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.ops.geometry import index_transform
from leaven_plugins.ops.rendering import warp
from leaven_plugins.workers.image import ImageWorker

SIZE = (64, 80)
SOURCE = (450, 600)
DECODER = OpenCVDecoder()


def landscape(seed):
    """A JPEG whose detail falls off with its frequency as that of photographs does."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(SOURCE[0])[:, None], np.fft.rfftfreq(SOURCE[1]))
    frequency[0, 0] = 1
    waves = random.normal(size=(4, *frequency.shape)) + 1j * random.normal(size=(4, *frequency.shape))
    clouds = np.fft.irfft2(waves / frequency**1.2, SOURCE)
    clouds /= clouds.std((1, 2), keepdims=True)
    image = np.clip(128 + 28 * clouds[0] + 12 * clouds[1:], 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", image.transpose(1, 2, 0), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def photos():
    shapes = ShapesDataset(SOURCE, seed=2, format="jpeg")
    return [landscape(0), landscape(1), landscape(2), shapes.sample(0)["image"], shapes.sample(1)["image"]]


def fidelity(image, perfect):
    """Peak signal to noise ratio in dB."""
    return 10 * np.log10(255**2 / max(((image.astype(float) - perfect) ** 2).mean(), 1e-3))


@pytest.mark.parametrize("rotated", [False, True])
def test_scaled_decoding_is_at_least_as_good_as_full_decoding(rotated):
    """Over 200 draws, in the median and among the worst 5 %, in the place drawn and in that of its rounded borders."""
    files = photos()
    pixels = [DECODER.decode(data).image for data in files]
    found = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        drawn = {
            "scale": float(np.exp(random.uniform(0, 1.6))),
            "aspect": float(np.exp(random.normal(0, 0.1))),
            "shift": random.uniform(-1, 1, 2).tolist(),
            "hmirror": bool(random.integers(2)),
        }
        if rotated:
            drawn |= {"angle": float(random.normal(0, 20)), "shear": random.uniform(-0.1, 0.1, 2).tolist()}
        worker = ImageWorker(((3, *SIZE), "uint8"), drawn, ops=(), decoder=DECODER)
        data, info = worker.inspected({"image": files[seed % len(files)]})
        shot = worker.shot(data, info, drawn)
        decoded = worker.decoded(shot)
        ours = worker.render(shot, decoded)
        row = []
        for matrix in (shot.matrix, worker.shown(shot, decoded)):
            whole = pixels[seed % len(files)]
            perfect = warp(whole, index_transform(matrix, 8), SIZE, supersampling=8)
            bilinear = warp(whole, index_transform(matrix), SIZE)
            row.append((fidelity(ours, perfect), fidelity(bilinear, perfect)))
        found.append(row)
    assert decoded.scale < 1 or seed  # some of them are reduced
    for ours, bilinear in np.array(found).transpose(1, 2, 0):
        assert np.median(ours) >= np.median(bilinear)
        assert np.percentile(ours, 5) >= np.percentile(bilinear, 5)
