"""Made-up distributions and single-file plugins, in place of whatever is installed."""

from __future__ import annotations

import importlib.metadata
import sys
import textwrap
from pathlib import Path

import pytest

FAKE_PLUGINS = Path(__file__).parents[2] / "data" / "fake_plugins"


@pytest.fixture
def fake(monkeypatch):
    """Return a function that lets exactly the named folders of made-up distributions be installed."""
    find = importlib.metadata.distributions
    before = set(sys.modules)
    monkeypatch.delenv("LEAVEN_BLOCK", raising=False)
    monkeypatch.delenv("LEAVEN_STRICT", raising=False)

    def install(*cases):
        paths = [str(FAKE_PLUGINS / case) for case in cases]
        assert all(Path(path).is_dir() for path in paths)
        for path in paths:
            monkeypatch.syspath_prepend(path)
        monkeypatch.setattr(importlib.metadata, "distributions", lambda: find(path=paths) if paths else iter(()))

    install()
    yield install
    for name in set(sys.modules) - before:
        if name.startswith("acme_"):
            del sys.modules[name]


@pytest.fixture
def plugin_file(fake, tmp_path):
    """Return a function that writes a single-file plugin and returns its path; nothing else is installed."""

    def write(code, name="my_plugin.py"):
        path = tmp_path / name
        path.write_text("from leaven import Component, hookimpl\n" + textwrap.dedent(code))
        return str(path)

    yield write
    for name in [name for name in sys.modules if name.startswith("leaven_file_")]:
        del sys.modules[name]
