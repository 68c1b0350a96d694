"""Calls as text, and their values as parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven.registry.calls import Call, bound, parse_call
from leaven.registry.parameters import parameters_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=5,
)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in ("f", "None"))


def test_a_name_is_a_call_without_values():
    assert parse_call(" dataset:acme/percent ") == Call("dataset:acme/percent", (), {})
    assert parse_call("percent()") == Call("percent", (), {})


def test_values_with_and_without_names():
    assert parse_call("percent(0, 80.5)") == Call("percent", (0, 80.5), {})
    assert parse_call("dataset:shuffle(seed=-5)") == Call("dataset:shuffle", (), {"seed": -5})
    assert parse_call("x('a(b)', [1, 'c'], on=True)") == Call("x", ("a(b)", [1, "c"]), {"on": True})


@given(st.lists(values, max_size=3), st.dictionaries(st.sampled_from(["a", "b1", "c_d"]), values, max_size=3))
def test_what_python_writes_is_read(positional, named):
    text = ", ".join([*map(repr, positional), *(f"{name}={value!r}" for name, value in named.items())])
    assert parse_call(f"x({text})") == Call("x", tuple(positional), named)


@given(st.text(alphabet="ab(),='[]{}*.0 \n\\#"))
def test_any_text_is_a_call_or_an_error(text):
    try:
        call = parse_call(text)
    except ParameterError:
        return
    assert call.spec in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("percent(0", "not of the form"),
        ("percent)0(", "not of the form"),
        ("percent(a)", "not values as in percent"),
        ("percent(1 +)", "not values as in"),
        ("percent(print('x'))", "not values as in"),
        ("percent(**{'a': 1})", "has no place in it"),
        ("percent(*[1])", "not values as in"),
        ("x(" + "[" * 5000 + ")", "not values as in"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_malformed_is_refused(text, problem):
    with pytest.raises(ParameterError, match=problem):
        parse_call(text)


class Plain:
    def __init__(self, dataset: Dataset, start: float = 0, stop: float = 100):  # noqa: F821 - by its looks
        pass


class Listed:
    rest = "keep"

    def __init__(self, dataset: Dataset, keep: list[int], on: bool = True):  # noqa: F821
        pass


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("x(1, 2)", Plain, {"start": 1, "stop": 2}),
        ("x(1, stop=2)", Plain, {"start": 1, "stop": 2}),
        ("x(stop=2)", Plain, {"stop": 2}),
        ("x(0, 1, 5, on=False)", Listed, {"keep": [0, 1, 5], "on": False}),
        ("x(keep=[3])", Listed, {"keep": [3]}),
    ],
)
def test_values_find_their_parameters(text, target, expected):
    assert bound(parse_call(text), target, parameters_of(target)) == expected


@pytest.mark.parametrize(
    ("text", "target", "problem"),
    [
        ("x(1, 2, 3)", Plain, "3 values, but it takes: start, stop"),
        ("x(1, start=2)", Plain, "two values for start"),
        ("x(1, keep=[2])", Listed, "two values for keep"),
    ],
)
def test_values_without_a_parameter_are_refused(text, target, problem):
    with pytest.raises(ParameterError, match=problem):
        bound(parse_call(text), target, parameters_of(target))
