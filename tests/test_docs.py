"""What is written in README and docs/ holds: code runs, commands and links exist.

A comment right above a fenced block says what is to be done with it: ``<!-- file: NAME -->`` writes it to a file that
later blocks of the page use, ``<!-- run -->`` runs the commands of a console block. Other Python blocks are run where
they stand, with the names of those above; TOML blocks are parsed; commands are checked for their names and options.
"""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from leaven.cli.group import leaven
from leaven.kinds import KINDS
from leaven.registry.registry import Registry
from leaven.stream.loader import TurboDataLoader

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "examples" / "leaven-acme" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^(?:<!-- (?P<directive>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)

pytestmark = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


class Block(NamedTuple):
    line: int
    directive: str
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    content = page.read_text("utf-8")
    for match in BLOCK.finditer(content):
        line = content.count("\n", 0, match.start("text"))
        yield Block(line, match["directive"] or "", match["language"], match["text"])


def commands(block: Block) -> list[str]:
    """Return what is typed at the prompts of a console block, without comments."""
    lines = [line[2:].partition("  # ")[0].strip() for line in block.text.splitlines() if line.startswith("$ ")]
    assert lines, f"a console block without a prompt in line {block.line}"
    return lines


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, but for the examples, with this interpreter's commands first."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("leaven-acme"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_code_runs(page, folder, capsys):
    names = {"__name__": f"page_{page.stem}"}
    for block in blocks(page):
        if block.directive.startswith("file: "):
            (folder / block.directive.removeprefix("file: ")).write_text(block.text)
        elif block.language == "python":
            source = "\n" * block.line + block.text  # so that a traceback has the line of the page
            exec(compile(source, str(page), "exec", dont_inherit=True), names)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.directive == "run":
            for command in commands(block):
                run(command, folder)


def run(command: str, folder: Path) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    command = re.sub(r"^(leaven|python)\b", lambda m: f"{sys.executable}{' -m leaven' * (m[1] == 'leaven')}", command)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error"}
    shell = ["bash", "-c", command]
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert done.stderr.count("\n") == done.stderr.count("measuring"), done.stderr


def test_commands_exist(page):
    for block in blocks(page):
        if block.language == "console":
            for command in commands(block):
                words = shlex.split(re.sub(r"^(\w+=\S+ )+", "", command))
                if words[0] == "leaven":
                    check_command(words[1:])
                elif words[0] == "make":
                    assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.M), command


def check_command(words: list[str]) -> None:
    """Check subcommands and options, without opening what they name."""
    with click.Context(leaven, info_name="leaven") as context:
        context.obj = Registry()
        command: click.Command = leaven
        while isinstance(command, click.Group):
            words = skip_options(command, words)
            if not words:
                return
            found = command.get_command(context, words[0])
            assert found is not None, words[0]
            command, words = found, words[1:]
        skip_options(command, [word for word in words if word.startswith("-")], known_only=True)


def skip_options(command: click.Command, words: list[str], known_only: bool = False) -> list[str]:
    """Drop leading options that ``command`` has, with their values."""
    options = {name: option for option in command.params for name in option.opts if isinstance(option, click.Option)}
    while words and words[0].startswith("-"):
        if words[0] in ("-h", "--help"):
            return []
        assert words[0] in options, f"{command.name} has no option {words[0]}"
        words = words[1 if known_only or options[words[0]].is_flag else 2 :]
    return words


def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if not target.startswith(("https://", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_pages_are_found(page):
    """Every page of the documentation is linked from the first one."""
    if page.parent.name == "docs" and page.name != "index.md":
        assert f"]({page.name})" in (ROOT / "docs" / "index.md").read_text("utf-8")


def test_tables_are_complete(page):
    text = page.read_text("utf-8")
    if page.name == "plugins.md":
        for kind in KINDS.values():
            assert f"| `{kind.name}` | `{kind.hook}` | {kind.meaning} |" in text
    if page.name == "loader.md":
        section = text.partition("## Arguments")[2].partition("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(inspect.signature(TurboDataLoader).parameters)
    if page.name == "cli.md":
        with click.Context(leaven) as context:
            context.obj = Registry(builtin_only=True)
            for name, command in leaf_commands("leaven", leaven, context):
                (row,) = re.findall(rf"^\| `{name}(?: [A-Z\[\] ]+)?` \|.*$", text, re.M)
                told = set(re.findall(r"`(-[^`]+)`", row))
                assert told == {max(p.opts, key=len) for p in command.params if isinstance(p, click.Option)}, name


def leaf_commands(name: str, command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for part in command.list_commands(context):
        found = command.get_command(context, part)
        assert found is not None
        yield from leaf_commands(f"{name} {part}", found, context)
