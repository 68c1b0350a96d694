from __future__ import annotations

import copy
import pickle

import pytest

from leaven import create
from leaven.errors import ParameterError
from leaven_plugins.caches.budgets import bytes_of


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (1, 1),
        ("1", 1),
        ("12 B", 12),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1KiB", 1024),
        ("1.5 MiB", 3 << 19),
        ("4GiB", 4 << 30),
        ("2G", 2 * 10**9),
        ("0.1TB", 10**11),
    ],
)
def test_budgets(budget, expected):
    assert bytes_of(budget, "it") == expected


@pytest.mark.parametrize("budget", [0, -1, 1.5, True, None, "", "0", "GiB", "1XB", "-1", "1e9", "1 2", "many", "1GiBB"])
def test_budgets_that_are_none(budget):
    with pytest.raises(ParameterError, match=r"memory: budget=.*expected bytes above 0"):
        create("cache:memory", budget=budget)


def test_what_came_first_stays():
    cache = create("cache:memory", budget=10_000)
    kept = [cache.put(f"{n}", bytes(1000)) for n in range(20)]
    assert kept == [True] * 7 + [False] * 13
    assert [cache.get(f"{n}") is not None for n in range(20)] == kept
    assert cache.put("0", b"again")
    cache.clear()
    assert cache.put("19", bytes(1000))


def test_copies_are_empty():
    cache = create("cache:memory", budget=10_000)
    cache.put("a", b"1")
    for other in (copy.copy(cache), pickle.loads(pickle.dumps(cache))):
        assert other.get("a") is None
        assert other.put("a", b"2")
        assert not other.put("b", bytes(10_000))
    assert cache.get("a") == b"1"
