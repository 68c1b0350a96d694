from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from leaven.data.lazy import forget, lazy, state


class Counting:
    def __init__(self):
        self.count = 0

    @lazy
    def value(self):
        """How often it was computed."""
        self.count += 1
        return self.count

    def __getattr__(self, name):
        raise AttributeError(f"nothing of the name {name}")

    @lazy
    def broken(self):
        return self.missing


def test_it_is_computed_once_until_it_is_forgotten():
    made = Counting()
    assert (made.value, made.value) == (1, 1)
    assert state(made) == {"count": 1}
    forget(made)
    forget(made)
    assert vars(made) == {"count": 1}
    assert made.value == 2
    assert Counting.value.__doc__ == "How often it was computed."


def test_an_error_is_not_taken_for_a_property_that_is_not_there():
    with pytest.raises(RuntimeError, match=r"Counting\.broken: nothing of the name missing"):
        Counting().broken


def test_two_threads_compute_at_the_same_time():
    """A lock for all instances would let each wait for the other."""
    together = Barrier(2, timeout=20)

    class Waiting:
        @lazy
        def value(self):
            return together.wait() >= 0

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda made: made.value, [Waiting(), Waiting()])) == [True, True]
