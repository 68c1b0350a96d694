"""Errors: their types, exit codes and texts."""

from __future__ import annotations

import pytest

from leaven import errors
from leaven.errors import ConfigError, LeavenError, SampleError, listing, nearest, printable, suggestion

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, LeavenError)]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_one_of_ours_with_an_exit_code(cls):
    assert cls.exit_code in (1, 2)
    assert str(cls("text")).endswith("text")
    assert cls.__doc__


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (errors.LookupFailed, LookupError),
        (errors.UnknownName, errors.LookupFailed),
        (errors.NameClash, errors.LookupFailed),
        (errors.BlockedError, errors.LookupFailed),
        (errors.BrokenPluginError, errors.LookupFailed),
        (errors.MissingPackageError, ImportError),
        (errors.ParameterError, TypeError),
        (errors.ConfigError, ValueError),
        (errors.FormatError, errors.DatasetError),
        (errors.DecodeError, ValueError),
        (errors.ProtocolError, errors.TransportError),
    ],
)
def test_errors_can_be_caught_as_what_they_are(cls, builtin):
    assert issubclass(cls, builtin)


def test_mistakes_in_what_was_asked_for_exit_with_2():
    assert {cls.__name__ for cls in CLASSES if cls.exit_code == 2} == {
        "LookupFailed",
        "UnknownName",
        "NameClash",
        "BlockedError",
        "BrokenPluginError",
        "MissingPackageError",
        "ParameterError",
        "ConfigError",
        "RecipeError",
    }


@pytest.mark.parametrize(
    ("problems", "source", "text"),
    [
        ("a: wrong", "", "a: wrong"),
        (["a: wrong"], "x.toml", "x.toml: a: wrong"),
        (["a: wrong", "b: too"], "x.toml", "x.toml: 2 problems\n  a: wrong\n  b: too"),
        (["a: wrong", "b: too"], "", "2 problems\n  a: wrong\n  b: too"),
    ],
)
def test_config_error(problems, source, text):
    error = ConfigError(problems, source)
    assert str(error) == text
    assert error.problems == ((problems,) if isinstance(problems, str) else tuple(problems))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "sample: prepare failed: no"),
        ({"index": 3}, "sample 3: prepare failed: no"),
        ({"index": 3, "key": "a\n.jpg", "stage": "decode"}, "sample 3 (a\\n.jpg): decode failed: no"),
        ({"key": "k", "cause_type": "OSError"}, "sample (k): prepare failed: OSError: no"),
    ],
)
def test_sample_error(arguments, text):
    error = SampleError("no", **arguments)
    assert str(error) == text
    assert error.message == "no"
    for name, value in arguments.items():
        assert getattr(error, name) == value


def test_nearest():
    assert nearest("clasification", ["classification", "image"]) == "classification"
    assert nearest("IMAGE", ["classification", "Image"]) == "Image"
    assert nearest("zzz", ["classification"]) == ""
    assert nearest("x", []) == ""


def test_suggestion():
    assert suggestion("imag", ["image"]) == ", did you mean 'image'?"
    assert suggestion("zzz", ["image"]) == ""


def test_listing():
    assert listing(["b", "a"]) == "a, b"
    assert listing([]) == "none"
    assert listing("dcba", limit=3) == "a, b, c and 1 more"
    assert listing("cba", limit=3) == "a, b, c"


def test_printable():
    assert printable("häß") == "häß"
    assert printable("a\x1b[31m\n") == "a\\x1b[31m\\n"
    assert printable("\ud800") == "\\ud800"
    assert printable("x" * 600) == "x" * 500 + "..."
    assert len(printable("x" * 600, 10)) == 13
