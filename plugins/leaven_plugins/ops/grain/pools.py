"""Pools: normal noise that is made once, and cut out at a place that is drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pool = NDArray[Any]
Shape = tuple[int, ...]

WIDEST = 4.0
"""Standard deviations that a byte of the noise reaches to, in both directions."""

_SEED = 20210718  # fixed, so that the noise depends on what is drawn alone
_SPARE = 1 << 16  # places at which a piece can be cut out
_LARGEST = 21  # bits of the size of a pool: 1000 x 700 x 3 values


def byte_noise(shape: Shape, random: np.random.Generator) -> Pool:
    """Return normal noise, uint8: 0 to 255 stand for :data:`WIDEST` standard deviations below and above the mean."""
    return _cut_out(_byte_pool(_bits(shape)), int(random.integers(_SPARE)), shape)


def normal_noise(shape: Shape, random: np.random.Generator) -> tuple[Pool, Pool]:
    """Return standard normal noise, float32, and what added to it gives a skewness (after Cornish and Fisher)."""
    normal, skewed = _normal_pools(_bits(shape))
    start = int(random.integers(_SPARE))
    return _cut_out(normal, start, shape), _cut_out(skewed, start, shape)


def _bits(shape: Shape) -> int:
    """Return the size of a pool for such a piece: few sizes, so that few pools are made, and none of them huge."""
    return min((shape[0] * shape[1] - 1).bit_length(), _LARGEST)


def _cut_out(pool: Pool, start: int, shape: Shape) -> Pool:
    """Return noise from a place of the pool on; for a large piece it is repeated."""
    length = shape[0] * shape[1]
    piece = pool[start : start + length]
    return (piece if piece.size == length else np.resize(pool[start:], length)).reshape(shape)


@lru_cache(maxsize=4)
def _byte_pool(bits: int) -> Pool:
    levels = np.rint((_normal_pools(bits)[0] / np.float32(WIDEST) + 1) * np.float32(255 / 2))
    return _sealed(levels.clip(0, 255).astype(np.uint8))


@lru_cache(maxsize=4)
def _normal_pools(bits: int) -> tuple[Pool, Pool]:
    random = np.random.Generator(np.random.Philox(_SEED))
    normal = random.standard_normal((1 << bits) + _SPARE, np.float32)
    return _sealed(normal), _sealed((normal**2 - 1) / np.float32(6))


def _sealed(pool: Pool) -> Pool:
    pool.flags.writeable = False
    return pool
