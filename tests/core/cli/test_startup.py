"""What people wait for: nothing heavy is imported to show help or to list things."""

from __future__ import annotations

import pytest

HEAVY = {"numpy", "torch", "cv2", "zmq", "rich"}
IMPORTED = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
sys.argv = ["leaven", *{arguments!r}]
from leaven.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        ([], set()),
        (["bench", "loader", "--help"], set()),
        (["bench", "lodaer"], set()),
        (["components"], {"rich"}),
        (["components", "worker", "--json"], set()),
        (["plugin", "list"], {"rich"}),
        (["plugin", "doctor", "--json"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_nothing_heavy_is_imported(python, arguments, allowed):
    done = python(IMPORTED.format(arguments=arguments))
    assert "leaven.cli.group" in done.stderr.split()
    assert HEAVY & set(done.stderr.split()) <= allowed


def test_commands_are_listed_without_their_modules(python):
    done = python(IMPORTED.format(arguments=["--help"]))
    for name in ("bench", "components", "data", "demo", "plugin", "show", "train"):
        assert f"\n  {name} " in done.stdout
    assert not [name for name in done.stderr.split() if name.endswith((".command", ".group")) and "plugins" in name]
