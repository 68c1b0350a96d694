"""What ``leaven data verify`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from leaven.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

    from leaven.stream.quarantine import Listed
    from leaven_plugins.commands.data.checking import Checked

_MOST = 20


def verdict(
    path: str,
    format: str,  # noqa: A002 - as the key is called
    checked: Checked,
    index_problem: str | None,
) -> dict[str, Any]:
    """Return the report for programs.

    Keys: ``path`` and ``format`` of the dataset, ``samples`` (how many were checked), ``images`` (of those that
    are fine), ``failures`` (as a quarantine file lists them), ``fine`` and ``missing`` (positions of samples that the
    quarantine file lists: without a failure now, or not in the dataset), ``elsewhere`` (how many lines of it are about
    other datasets), ``index_problem`` (of the file that ``leaven data index`` wrote, or null).
    """
    return {
        "path": path,
        "format": format,
        "samples": checked.samples,
        "images": checked.images,
        "failures": [asdict(failure) for failure in checked.failures],
        "fine": [listed.index for listed in checked.fine],
        "missing": [listed.index for listed in checked.missing],
        "elsewhere": checked.elsewhere,
        "index_problem": index_problem,
    }


def print_verdict(
    path: str,
    format: str,  # noqa: A002
    checked: Checked,
    compared: bool,
    index_problem: str | None,
    console: Console,
) -> None:
    """Print the report for people; ``compared``: there was a quarantine file."""
    from leaven.cli.output import table

    rows = [
        ("format", format),
        ("checked", f"{checked.samples:,} samples, {checked.images:,} images"),
        ("failed", f"{len(checked.failures):,}"),
    ]
    if checked.absent:
        rows.append(("in no sample", ", ".join(printable(key, 80) for key in checked.absent)))
    if index_problem is not None:
        rows.append(("index not used", printable(index_problem)))
    if compared:
        rows.append(("listed, but fine now", _some(checked.fine)))
        rows.append(("listed, but not there", _some(checked.missing)))
        rows.append(("of other datasets", f"{checked.elsewhere:,} lines"))
    console.print(table(("dataset", printable(path)), rows))
    if checked.failures:
        console.print(table(("sample", "key", "offset", "stage", "error"), map(_row, checked.failures[:_MOST])))
        rest = len(checked.failures) - _MOST
        if rest > 0:
            console.print(f"and {rest:,} more")


def _row(failure: Listed) -> tuple[str, ...]:
    cause = f"{failure.cause}: " if failure.cause else ""
    offset = "" if failure.offset is None else str(failure.offset)
    texts = (str(failure.index), failure.key, offset, failure.stage, cause + failure.error)
    return tuple(printable(text, 200) for text in texts)


def _some(listed: Sequence[Listed]) -> str:
    names = [f"{one.index} ({one.key})" if one.key else f"{one.index}" for one in listed[:_MOST]]
    rest = len(listed) - len(names)
    text = ", ".join(printable(name, 80) for name in names) or "none"
    return f"{len(listed):,}: {text}{f' and {rest:,} more' if rest else ''}" if listed else text
