"""Quality: how near a peer's images for validation are to an antialiased reference."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from math import log10
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.commands.bench.peers.runners.pictures import channels_first, decoded, middle
from leaven_plugins.commands.bench.peers.works import SHORTEST, SIZE

SAMPLES = 50
"""Of so many images, the first of the corpus."""
MOST = 100.0
"""Decibels of images that are the same: their error is 0, which has none."""

Image = NDArray[Any]


def psnr_of(samples: bytes, files: Sequence[str | Path]) -> float | None:
    """Return the median peak signal-to-noise ratio in decibels.

    Args:
        samples: file of the arrays ``labels`` and ``images``, as a runner has written it.
        files: of the images, by label.

    Returns:
        ``None`` where there is no image.
    """
    with np.load(io.BytesIO(samples)) as arrays:
        pairs = list(zip(arrays["labels"].tolist(), arrays["images"], strict=True))
    if not pairs:
        return None
    return median(max(_psnr(image, each) for each in references(files[label])) for label, image in pairs)


def references(file: str | Path) -> Iterator[Image]:
    """Yield what an image can be compared to: decoded at full resolution, then averaged.

    The middle is cut out at whole pixels of the resized image, as most do, or exactly. These are up to half a pixel
    apart, which is 20 dB of an image with grain, and says nothing of how it was resized: the nearer one counts.
    """
    image = decoded(np.fromfile(file, np.uint8))
    yield channels_first(middle(image))
    if min(image.shape[:2]) >= SHORTEST:
        yield channels_first(_exact_middle(image))


def _exact_middle(image: Image) -> Image:
    ratio = min(image.shape[:2]) / SHORTEST
    down, across = (_averaging(length, ratio) for length in image.shape[:2])
    exact: Image = np.einsum("ir,rcx,jc->ijx", down, image.astype(np.float64), across, optimize=True)
    return np.rint(exact).astype(np.uint8)


def _averaging(length: int, ratio: float) -> Image:
    """Return the share that each pixel of one axis has in each of the result's."""
    edges = length / 2 + (np.arange(SIZE + 1) - SIZE / 2)[:, None] * ratio
    pixels = np.arange(length)
    shared: Image = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return shared.clip(0) / ratio


def _psnr(image: Image, expected: Image) -> float:
    error = float(((image.astype(np.float64) - expected) ** 2).mean())
    return MOST if error == 0 else min(10 * log10(255**2 / error), MOST)
