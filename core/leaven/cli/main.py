"""The console script: runs a command, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn, TextIO

import click

from leaven.cli.group import leaven
from leaven.errors import LeavenError, printable, suggestion

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT."""

_LINE = 4000  # characters of a line of an error at most


def main() -> NoReturn:
    """Run the command line with the arguments of this process, and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code.

    0: done; 1: it went wrong, or what was checked has faults; 2: what was asked for does not exist or is malformed;
    130: interrupted. Errors are one line on standard error (``-v`` adds the traceback); whatever is no
    :class:`~leaven.errors.LeavenError` is a fault of the program and keeps its traceback.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            result = leaven.main(list(arguments), prog_name="leaven", standalone_mode=False)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            return error.exit_code
        except click.ClickException as error:
            _say("error:", "red", _usage_text(error))
            return error.exit_code
        except LeavenError as error:
            _say("error:", "red", _escaped(str(error)))
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED
    return result if type(result) is int else 0


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning in one line: where in the code it was given is of no use to people at a terminal."""
    _say("warning:", "yellow", str(message))


def _say(label: str, colour: str, text: str) -> None:
    """Write a line to standard error; on a terminal the label is coloured, unless ``NO_COLOR`` is set."""
    shown = f"{click.style(label, fg=colour, bold=True)} {text}"
    click.echo(shown, err=True, color=False if os.environ.get("NO_COLOR") else None)


def _escaped(text: str) -> str:
    """Return the lines without control characters: what they tell of may come from foreign data, or another host."""
    return "\n".join(printable(line, _LINE) for line in text.split("\n"))


def _usage_text(error: click.ClickException) -> str:
    text = error.format_message().rstrip(".")
    text = text[:1].lower() + text[1:] + _choice_hint(error)
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        text += _global_hint(error.option_name, error.ctx)
    context = getattr(error, "ctx", None)
    return text if context is None else f"{text}\n  help: {context.command_path} --help"


def _choice_hint(error: click.ClickException) -> str:
    """Return the nearest choice; click suggests commands and options only."""
    kind = getattr(getattr(error, "param", None), "type", None)
    asked = re.match(r"'([^']*)' is not one of", error.message)
    return suggestion(asked[1], map(str, kind.choices)) if asked and isinstance(kind, click.Choice) else ""


def _global_hint(option: str, context: click.Context) -> str:
    """Say where an option of ``leaven`` itself belongs."""
    names = {name for parameter in leaven.params for name in parameter.opts}
    if option not in names or context.parent is None:
        return ""
    rest = context.command_path.partition(" ")[2]
    return f"; {option} is an option of leaven itself: leaven {option} ... {rest} ..."
