"""Quality: how near a peer's images for validation are to an antialiased reference."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import log10
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.commands.bench.peers.runners.pictures import channels_first, decoded, middle

SAMPLES = 50
"""Of so many images, the first of the corpus."""
MOST = 100.0
"""Decibels of images that are the same: their error is 0, which has none."""


def psnr_of(samples: bytes, files: Sequence[str | Path]) -> float | None:
    """Return the median peak signal-to-noise ratio in decibels.

    The reference is the middle of the whole image after it was decoded at full resolution, and resized by averaging.

    Args:
        samples: file of the arrays ``labels`` and ``images``, as a runner has written it.
        files: of the images, by label.

    Returns:
        ``None`` where there is no image.
    """
    with np.load(io.BytesIO(samples)) as arrays:
        pairs = list(zip(arrays["labels"].tolist(), arrays["images"], strict=True))
    return median(_psnr(image, reference(files[label])) for label, image in pairs) if pairs else None


def reference(file: str | Path) -> NDArray[Any]:
    """Return the image that a peer's is compared to."""
    return channels_first(middle(decoded(np.fromfile(file, np.uint8))))


def _psnr(image: NDArray[Any], expected: NDArray[Any]) -> float:
    error = float(((image.astype(np.float64) - expected) ** 2).mean())
    return MOST if error == 0 else min(10 * log10(255**2 / error), MOST)
