from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leaven.stream.randomness import Stream, Streams, op_number

words = st.integers(0, 2**63 - 1)


def fresh(seed: int, op: str, epoch: int, index: int) -> np.random.Generator:
    """The definition, in one line: Philox with key (seed, stream) and counter (0, epoch, index, op)."""
    key = np.array([seed % 2**64, seed >> 64], np.uint64)
    counter = np.array([0, epoch, index, op_number(op)], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


@given(st.integers(0, 2**100), words, words, st.text(max_size=8))
def test_equals_a_philox_made_for_the_cell(seed, epoch, index, op):
    stream = Stream(seed, op)
    stream.at(5, 6).random(3)  # what was drawn before does not matter
    np.testing.assert_array_equal(stream.at(epoch, index).random(8), fresh(seed, op, epoch, index).random(8))


def test_a_half_used_word_does_not_leak_into_the_next_cell():
    stream = Stream(1)
    stream.at(0, 0).integers(0, 2**31, dtype=np.int32)  # leaves half of a 64-bit word over
    assert stream.at(0, 1).integers(0, 2**31, dtype=np.int32) == fresh(1, "", 0, 1).integers(0, 2**31, dtype=np.int32)


def test_cells_share_no_numbers():
    """Epoch and index are counter words of their own: epoch e + 1 does not repeat epoch e one step later."""
    stream = Stream(7, "noise")
    draws = np.concatenate([stream.at(epoch, index).random(100) for epoch in range(10) for index in range(10)])
    assert len(np.unique(draws)) == draws.size


def test_ops_are_independent_of_each_other():
    alone, together = Streams(3), Streams(3)
    expected = alone.at("blur", 0, 4).random(4)
    together.at("tone", 0, 4).random(9)
    np.testing.assert_array_equal(together.at("blur", 0, 4).random(4), expected)
    assert not np.array_equal(together.at("tone", 0, 4).random(4), expected)
