from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leaven.cli.main import run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cli(capsys):
    """Run the command line in this process; return exit code, standard output and standard error."""

    def cli(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return cli


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh interpreter, in an empty folder; return the finished process."""

    def python(code, **environment):
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return python


@pytest.fixture
def shell(python):
    """Run the command line in a fresh interpreter, in an empty folder; return the finished process."""

    def shell(*arguments, **environment):
        command = f"import sys; sys.argv = ['leaven', *{arguments!r}]; from leaven.cli.main import main; main()"
        return python(command, **environment)

    return shell


@pytest.fixture
def single(tmp_path):
    """A plugin in a single file, with an op and a command."""
    file = tmp_path / "single.py"
    file.write_text(
        '''
import click
from leaven import Component, hookimpl, LeavenError

class Invert:
    """A negative.

    Args:
        prob: probability of it.
    """
    keys = ("invert",)

    def __init__(self, prob: float = 0.1):
        self.prob = prob

@click.command()
@click.option("--how", type=click.Choice("fail bug interrupt seven text exit quiet".split()), default="quiet")
@click.pass_obj
def hello(registry, how):
    """Say hello."""
    if how == "fail":
        raise LeavenError("the well is dry")
    if how == "bug":
        raise ZeroDivisionError
    if how == "interrupt":
        raise KeyboardInterrupt
    click.echo(f"hello from {registry.find('op:invert').qualified}")
    if how == "exit":
        click.get_current_context().exit(3)
    return {"seven": 7, "text": "7"}.get(how)

@hookimpl
def leaven_ops():
    yield Component("invert", Invert, "a negative, now and then")

@hookimpl
def leaven_commands():
    yield Component("hello", hello, "say hello")
    yield Component("shy", "no.such.module:shy", "cannot be imported")
    yield Component("odd", Invert, "is no command")
'''
    )
    return file


@pytest.fixture
def fake_distribution(tmp_path, monkeypatch):
    """Install a distribution by hand: metadata with entry points, and modules."""

    def fake_distribution(name, entry_points=None, modules=None, version="1.0", files=None):
        site = tmp_path / "site"
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: MIT\n")
        lines = [f"{plugin} = {module}" for plugin, module in (entry_points or {}).items()]
        (info / "entry_points.txt").write_text("\n".join(["[leaven]", *lines]))
        for file, text in (files or {}).items():
            (info / file).write_text(text)
        for module, text in (modules or {}).items():
            (site / f"{module}.py").write_text(text)
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(str(site))
        return site

    return fake_distribution
