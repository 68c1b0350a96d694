"""Patterns with braces, and the order of numbered names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.registry.patterns import braces, natural


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", ["a"]),
        ("t_{0..2}.tar", ["t_0.tar", "t_1.tar", "t_2.tar"]),
        ("t_{008..010}", ["t_008", "t_009", "t_010"]),
        ("{a,b}_{1..2}", ["a_1", "a_2", "b_1", "b_2"]),
        ("{LABEL}/x", ["{LABEL}/x"]),
        ("{LABEL}/{a,b}", ["{LABEL}/a", "{LABEL}/b"]),
        ("{3..1}", []),
    ],
)
def test_braces(pattern, expected):
    assert list(braces(pattern)) == expected


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=20))
def test_numbered_names_are_sorted_by_number(numbers):
    names = sorted((f"shard_{number}.tar" for number in numbers), key=natural)
    assert names == [f"shard_{number}.tar" for number in sorted(numbers)]
