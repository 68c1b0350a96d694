"""Docstrings for people at a terminal: without markup, and what they say of each argument."""

from __future__ import annotations

import inspect
import re


def first_paragraph(doc: str) -> str:
    """Return what a docstring says first, on one line."""
    return " ".join(without_markup(doc).strip().partition("\n\n")[0].split())


def without_markup(text: str) -> str:
    """Return the text without roles and quotes: ``:class:`~leaven.Worker` `` becomes ``Worker``."""
    named = re.sub(r":\w+:`(?:~[\w.]*\.)?([^`]+)`", r"\1", text)
    return named.replace("``", "")


def argument_texts(doc: str) -> dict[str, str]:
    """Return the texts of the section ``Args:`` by argument, each on one line."""
    _, _, section = inspect.cleandoc(without_markup(doc)).partition("\nArgs:\n")
    texts: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break  # the next section
        started = re.match(r"    (\w+)(?: \([^)]*\))?:\s*(.*)", line)
        if started:
            name = started[1]
            texts[name] = started[2]
        elif name and line.strip():
            texts[name] = f"{texts[name]} {line.strip()}"
    return texts
