"""The inverse transforms: the plain ones against the definition, and the fast ones against the plain ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("leaven_turbo")
from leaven_turbo import _native

SIZES = (1, 2, 4, 8)
Blocks = NDArray[np.int16]


def inverse(coefficients: Blocks, quantisers: Blocks, size: int, plain: bool) -> NDArray[np.uint8]:
    out = np.full((2, size, size), 77, np.uint8)
    _native._inverse(np.ascontiguousarray(coefficients), np.ascontiguousarray(quantisers), out, size, plain)
    return out


def defined(coefficients: Blocks, quantisers: Blocks, size: int) -> NDArray[np.float64]:
    """Return the sums of cosines, of which libjpeg's reduced forms are the means of squares."""
    k = np.arange(8)
    cosines = np.cos((2 * k[:, None] + 1) * k * np.pi / 16) / 2
    cosines[:, 0] /= np.sqrt(2)
    samples = cosines @ (coefficients.astype(float) * quantisers) @ cosines.T + 128
    step = 8 // size
    return np.clip(samples.reshape(2, size, step, size, step).mean((2, 4)), 0, 255)


def blocks(random: np.random.Generator, count: int, most: int) -> Blocks:
    """Return two blocks with a few coefficients of any places."""
    made = np.zeros((2, 64), np.int16)
    for block in made:
        places = random.choice(64, count, replace=False)
        block[places] = random.integers(-most, most + 1, count)
    return made.reshape(2, 8, 8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 3, 20, 64])
def test_they_are_what_is_defined(size, count):
    random = np.random.default_rng(count)
    for _ in range(200):
        coefficients, quantisers = blocks(random, count, 40), random.integers(1, 9, (2, 8, 8)).astype(np.int16)
        expected = defined(coefficients, quantisers, size)
        assert np.abs(inverse(coefficients, quantisers, size, True) - expected).max() <= 1


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 8]), st.integers(1, 64), st.sampled_from([3, 500, 32767]))
@settings(max_examples=500, deadline=None)
def test_the_fast_ones_give_the_same_bits(seed, size, count, most):
    random = np.random.default_rng(seed)
    coefficients = blocks(random, count, most)
    if random.random() < 0.3:
        coefficients[random.integers(2), 1:] = 0  # no change from row to row
    largest = random.choice([1, 50, 255, 32767])
    quantisers = random.integers(-1 if largest > 255 else 1, largest + 1, (2, 8, 8)).astype(np.int16)
    plain, fast = (inverse(coefficients, quantisers, size, way) for way in (True, False))
    np.testing.assert_array_equal(fast, plain)


def test_arguments():
    coefficients, out = np.zeros((2, 8, 8), np.int16), np.zeros((2, 8, 8), np.uint8)
    with pytest.raises(ValueError, match="not 3"):
        _native._inverse(coefficients, coefficients, out, 3, True)
    with pytest.raises(ValueError, match="out: 128 bytes"):
        _native._inverse(coefficients, coefficients, out, 4, True)
    with pytest.raises(TypeError):
        _native._inverse(coefficients, coefficients, out, 8)
