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
    from leaven_plugins.datasets.findings import Finding

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
    other datasets), ``index_problem`` (of the file that ``leaven data index`` wrote, or null), ``findings`` (each with
    ``kind``, ``text``, ``advice``, ``file``, ``index``, ``key``, ``offset`` and ``warning``).
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
        "findings": [asdict(finding) for finding in checked.findings],
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
        ("found", f"{len(checked.faults):,} other fault{'s' * (len(checked.faults) != 1)}{_warnings(checked)}"),
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
        _print_rest(len(checked.failures), console)
    print_findings(checked.findings, console)


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print findings for people: the faults first, then the warnings, and once for each kind what to do."""
    for title, group in (
        ("found", [f for f in findings if not f.warning]),
        ("warning", [f for f in findings if f.warning]),
    ):
        for kind in dict.fromkeys(finding.kind for finding in group):
            _print_kind(title, [finding for finding in group if finding.kind == kind], console)


def _print_kind(title: str, findings: Sequence[Finding], console: Console) -> None:
    from leaven.cli.output import table

    if any(finding.index is not None for finding in findings):
        console.print(table(("sample", "key", "offset", f"{title}: {findings[0].kind}"), map(_place, findings[:_MOST])))
    else:
        rows = [(findings[0].kind, printable(f"{f.file}: {f.text}" if f.file else f.text, 400)) for f in findings]
        console.print(table((title, ""), rows[:_MOST]))
    _print_rest(len(findings), console)
    for advice in dict.fromkeys(finding.advice for finding in findings if finding.advice):
        console.print(f"to do: {printable(advice, 400)}", markup=False)


def _place(finding: Finding) -> tuple[str, ...]:
    index, offset = ("" if value is None else str(value) for value in (finding.index, finding.offset))
    text = f"{finding.file}: {finding.text}" if finding.file else finding.text
    return tuple(printable(cell, 300) for cell in (index, finding.key, offset, text))


def _print_rest(count: int, console: Console) -> None:
    if count > _MOST:
        console.print(f"and {count - _MOST:,} more")


def _warnings(checked: Checked) -> str:
    count = len(checked.findings) - len(checked.faults)
    return f" and {count:,} warning{'s' * (count != 1)}" if count else ""


def _row(failure: Listed) -> tuple[str, ...]:
    cause = f"{failure.cause}: " if failure.cause else ""
    offset = "" if failure.offset is None else str(failure.offset)
    texts = (str(failure.index), failure.key, offset, failure.stage, cause + failure.error)
    return tuple(printable(text, 500) for text in texts)  # a path can be long, and the reason comes last


def _some(listed: Sequence[Listed]) -> str:
    names = [f"{one.index} ({one.key})" if one.key else f"{one.index}" for one in listed[:_MOST]]
    rest = len(listed) - len(names)
    text = ", ".join(printable(name, 80) for name in names) or "none"
    return f"{len(listed):,}: {text}{f' and {rest:,} more' if rest else ''}" if listed else text
