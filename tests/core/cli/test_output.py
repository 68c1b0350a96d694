from __future__ import annotations

import contextlib
import json
import math
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.cli.docstrings import argument_texts, first_paragraph
from leaven.cli.output import emit_json


def emitted(capsys, value):
    emit_json({"value": value})
    line = capsys.readouterr().out
    assert line.endswith("\n")
    assert "\n" not in line[:-1]
    return json.loads(line, parse_constant=pytest.fail)["value"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        ([math.inf, {"x": -math.inf}], [None, {"x": None}]),
        (Path("a/b"), "a/b"),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([1.0, math.nan]), [1.0, None]),
        ((1, 2), [1, 2]),
        ("Grüße\n", "Grüße\n"),
    ],
)
def test_plain_data(capsys, value, expected):
    assert emitted(capsys, value) == expected


def test_what_is_no_data_is_refused():
    with pytest.raises(TypeError, match="object"):
        emit_json({"value": object()})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_what_json_knows_comes_back(value):
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("click.echo", lines.append)
        emit_json({"value": value})
    assert json.loads(lines[0]) == {"value": value}


def on_a_terminal(*arguments, **environment):
    """Return what the command line writes to a terminal."""
    ours, theirs = pty.openpty()
    variables = {"TERM": "xterm-256color", "COLUMNS": "100", "PATH": os.environ["PATH"], **environment}
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen([sys.executable, "-m", "leaven", *arguments], stdout=theirs, stderr=theirs, env=variables):
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # the terminal is closed
            while chunk := os.read(ours, 4096):
                text += chunk
    os.close(ours)
    return text.decode()


@pytest.mark.parametrize("arguments", [("plugin", "doctor"), ("trian",)])
def test_colours_on_a_terminal_only_and_not_against_the_users_will(arguments):
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert colour.search(on_a_terminal(*arguments))
    assert not colour.search(on_a_terminal(*arguments, NO_COLOR="1"))


def test_texts_of_arguments():
    doc = """Do it.

    Args:
        first: one line.
        second (int): two
            lines: really.

    Raises:
        third: no argument.
    """
    assert argument_texts(doc) == {"first": "one line.", "second": "two lines: really."}
    assert argument_texts("Nothing.") == {}


def test_the_first_paragraph_without_markup():
    doc = """Fills ``image`` as :class:`~a.b.ImageWorker` does,
    and :func:`fill` too.

    More.
    """
    assert first_paragraph(doc) == "Fills image as ImageWorker does, and fill too."
