"""Patterns of several files: ``train_{0..3}.msgpack``, and the order that people expect of numbered names."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def braces(pattern: str) -> Iterator[str]:
    """Yield what a pattern with braces stands for: ``{0..3}`` for numbers, with leading zeros kept, ``{a,b}`` for
    either; braces that hold neither stay as they are.
    """  # noqa: D205 - one sentence on what is yielded
    for match in _BRACES.finditer(pattern):
        numbers = _RANGE.fullmatch(match[1])
        if numbers:
            first, last = int(numbers[1]), int(numbers[2])
            width = len(numbers[1]) if numbers[1].startswith("0") else 0
            choices = [f"{number:0{width}}" for number in range(first, last + 1)]
        elif "," in match[1]:
            choices = match[1].split(",")
        else:
            continue
        for choice in choices:
            yield from braces(pattern[: match.start()] + choice + pattern[match.end() :])
        return
    yield pattern


def natural(text: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key under which ``img2`` comes before ``img10``; texts that differ never have the same one."""
    parts = re.split(r"([0-9]+)", text)
    return [(1, int(part), "") if n % 2 else (0, 0, part.casefold()) for n, part in enumerate(parts)], text
