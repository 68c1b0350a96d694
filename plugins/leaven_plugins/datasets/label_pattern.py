"""Patterns of relative paths, in which ``{LABEL}`` stands for the class."""

from __future__ import annotations

import re

from leaven.errors import ParameterError

_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\{LABEL\}|.", re.DOTALL)
_MEANING = {
    "**/": r"(?:[^/]+/)*",
    "**": r".+",
    "*": r"[^/]*",
    "?": r"[^/]",
    "{LABEL}": r"(?P<LABEL>[^/]+)",
}


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return what matches the relative paths (with ``/``) that are meant; its group ``LABEL`` is the class.

    ``{LABEL}`` is one folder's name or a part of a name, ``*`` and ``?`` stay within one name, ``**`` spans folders.

    Raises:
        ParameterError: ``{LABEL}`` is not in it exactly once.
    """
    if pattern.count("{LABEL}") != 1:
        raise ParameterError(f"pattern {pattern!r} must contain {{LABEL}} once, as in '{{LABEL}}/**'")
    return _compiled(pattern)


def compile_glob(glob: str) -> re.Pattern[str]:
    """Return the same for a pattern without ``{LABEL}``.

    Raises:
        ParameterError: ``{LABEL}`` is in it.
    """
    if "{LABEL}" in glob:
        raise ParameterError(f"{glob!r}: {{LABEL}} belongs into 'pattern'; here * and ** stand for anything")
    return _compiled(glob)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_MEANING.get(token) or re.escape(token) for token in _TOKENS.findall(pattern)), re.DOTALL)
