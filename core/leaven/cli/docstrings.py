"""Docstrings: what they say of each argument."""

from __future__ import annotations

import inspect
import re


def argument_texts(doc: str) -> dict[str, str]:
    """Return the texts of the section ``Args:`` by argument, each on one line."""
    _, _, section = inspect.cleandoc(doc).partition("\nArgs:\n")
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
