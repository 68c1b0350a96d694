"""TOML in and out."""

from __future__ import annotations

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import ConfigError
from leaven.registry.toml import read_toml, to_toml, value_of


def test_read_a_file(tmp_path):
    path = tmp_path / "a=b.toml"
    path.write_text("a = 1\n[b]\nc = 'd'\n")
    assert read_toml(path) == ({"a": 1, "b": {"c": "d"}}, str(path))
    assert read_toml(str(path)) == read_toml(path)


def test_read_text():
    assert read_toml("a = 1\n") == ({"a": 1}, "")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a = 1\nb 2\n", r"is not TOML: expected '=' after a key in a key/value pair \(at line 2, column 3\)"),
        (b"a = 1\na = 2\n", r"is not TOML: cannot overwrite a value \(at line 2, column 6\)"),
        (b"a = '\xff'", "is not text in UTF-8"),
        (b"a = " + b"[" * 100_000, "is not TOML that can be read: nested too deep|is not TOML: "),
    ],
)
def test_malformed_file(tmp_path, content, text):
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=text) as caught:
        read_toml(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"nope\.toml: cannot be read: No such file"):
        read_toml(tmp_path / "nope.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_toml(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("-1.5e3", -1500.0),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("{ use = 'gale' }", {"use": "gale"}),
        ('"quoted"', "quoted"),
        ("inline", "inline"),
        ("a.b/c d", "a.b/c d"),
        ("", ""),
        ("True", "True"),
        ("[1,", "[1,"),
        ("2020-01-02", "2020-01-02"),
        ("1\nother = 2", "1\nother = 2"),
        ("[" * 100_000, "[" * 100_000),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_value_of(text, value):
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_written_as_people_would():
    table = {
        "seed": 0,
        "data": {"train": {"use": "dataset:msgpack", "path": 'a "b"\\c'}},
        "metric": [{"use": "accuracy", "top_k": [1, 5]}, {"use": "average", "inner": {"a": 1}}],
        "none": None,
        "empty": {},
        "mixed": [1, {"a": True}],
    }
    assert to_toml(table) == (
        "seed = 0\n"
        "mixed = [1, { a = true }]\n"
        "\n[data]\n"
        "\n[data.train]\n"
        'use = "dataset:msgpack"\n'
        'path = "a \\"b\\"\\\\c"\n'
        "\n[[metric]]\n"
        'use = "accuracy"\n'
        "top_k = [1, 5]\n"
        "\n[[metric]]\n"
        'use = "average"\n'
        "\n[metric.inner]\n"
        "a = 1\n"
        "\n[empty]\n"
    )


values = st.recursive(
    st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.datetimes()
    | st.dates()
    | st.times(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values, max_size=5))
def test_what_is_written_reads_the_same(table):
    assert tomllib.loads(to_toml(table)) == table


def test_numbers_are_written_whole():
    table = tomllib.loads(to_toml({"a": math.inf, "b": 1e300, "c": 10**30, "d": True}))
    assert table == {"a": math.inf, "b": 1e300, "c": 10**30, "d": True}
    assert math.isnan(tomllib.loads(to_toml({"a": math.nan}))["a"])


def test_value_that_toml_does_not_have():
    with pytest.raises(ConfigError, match=r"a\.b\.1: TOML has no bytes"):
        to_toml({"a": {"b": [1, b"x"]}})
