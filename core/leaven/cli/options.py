"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Add the option ``--json``, which gives the parameter ``as_json``."""
    text = "Print one JSON object as the last line."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)
