"""Errors: their types, exit codes and texts."""

from __future__ import annotations

import copy

import pytest

from leaven import errors
from leaven.errors import (
    ConfigError,
    LeavenError,
    PoisonError,
    SampleError,
    SampleErrors,
    TooManyErrors,
    listing,
    nearest,
    printable,
    suggestion,
)

CONSTRUCTED = {
    errors.PoisonError: (3, "SIGSEGV"),
    errors.SampleErrors: ([SampleError("text"), SampleError("text")],),
    errors.TooManyErrors: (2, 10, 1, [SampleError("text"), SampleError("text")], {"decode": 2}),
}
"""Arguments of those that are not made of a text."""

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, LeavenError)]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_one_of_ours_with_an_exit_code(cls):
    assert cls.exit_code in (1, 2)
    text = str(cls(*CONSTRUCTED.get(cls, ("text",))))
    assert text.endswith("text" if cls is not errors.PoisonError else "SIGSEGV: it has killed 3 workers")
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
        (errors.PoisonError, errors.SampleError),
        (errors.SampleErrors, ExceptionGroup),
        (errors.StateError, ValueError),
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


def test_nothing_in_a_sample_error_reaches_the_terminal_as_it_is():
    error = SampleError("\x1b[2J", index=1, key="\x07", stage="\r", cause_type="\x1b]0;")
    assert str(error).isprintable()


def failures(count):
    return [SampleError("no", index=index, key=f"k{index}") for index in range(count)]


def test_a_group_of_samples_has_a_line_for_each():
    group = SampleErrors(failures(2))
    assert str(group) == "2 samples failed\n  sample 0 (k0): prepare failed: no\n  sample 1 (k1): prepare failed: no"
    assert group.count == 2


def test_a_group_keeps_the_first_ones_and_says_how_many_there_were():
    group = SampleErrors(failures(8), 30)
    assert (len(group.exceptions), group.count) == (8, 30)
    assert str(group).startswith("30 samples failed\n")
    assert str(group).endswith("sample 7 (k7): prepare failed: no\n  and 22 more")
    assert len(SampleErrors(failures(20)).exceptions) == 8


def test_a_group_is_caught_as_what_it_holds_and_as_one_of_ours():
    caught = []
    try:
        raise SampleErrors(failures(3))
    except* SampleError as group:
        caught = [error.index for error in group.exceptions]
    assert caught == [0, 1, 2]
    with pytest.raises(LeavenError):
        raise SampleErrors(failures(3))


def test_a_part_of_a_group_is_a_group():
    part, rest = SampleErrors(failures(3), 9).split(lambda error: getattr(error, "index", None) == 1)
    assert str(part) == "1 sample failed\n  sample 1 (k1): prepare failed: no"
    assert (type(rest), rest.count) == (SampleErrors, 2)


def test_a_group_can_be_copied():
    again = copy.copy(SampleErrors(failures(2), 5))
    assert (str(again), again.count) == (str(SampleErrors(failures(2), 5)), 5)


def test_a_poison_sample_says_how_the_worker_ended():
    error = PoisonError(3, "SIGSEGV", "Fatal Python error", index=7, key="k", stage="decode")
    assert str(error) == "sample 7 (k): decode failed: SIGSEGV: it has killed 3 workers"
    assert (error.kills, error.status, error.words) == (3, "SIGSEGV", "Fatal Python error")
    assert (error.cause_type, error.remote_traceback) == ("SIGSEGV", "Fatal Python error")
    assert str(PoisonError(1, "exit status 1")) == "sample: work failed: exit status 1: it has killed 1 worker"


def test_too_many_errors_say_how_many_why_and_which():
    error = TooManyErrors(30, 200, 20, failures(25), {"read: OSError": 1, "decode: DecodeError": 29})
    lines = str(error).splitlines()
    assert lines[0] == "30 samples of 200 (15.0%) failed in this epoch, 20 may (max_errors)"
    assert lines[1] == "  causes: decode: DecodeError (29), read: OSError (1)"
    assert lines[2] == "  sample 0 (k0): prepare failed: no"
    assert lines[-1] == "  and 10 more"
    assert (error.count, error.total, error.allowed, error.share) == (30, 200, 20, 0.15)
    assert len(error.samples) == 20


def test_a_share_of_what_is_not_known_is_none():
    error = TooManyErrors(1, None, 0, failures(1), {"read": 1})
    assert error.share is None
    assert str(error).startswith("1 samples failed in this epoch, 0 may")


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
