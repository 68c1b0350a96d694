"""What ``leaven bench loader`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from leaven.cli.output import console, table
from leaven_plugins.commands.bench.doctor import Diagnosis, fastest
from leaven_plugins.commands.bench.measure import Measurement
from leaven_plugins.decoders.alarms import alarming


def plain(runs: Sequence[Measurement], diagnosis: Diagnosis, trace: Path | None) -> dict[str, Any]:
    """Return the JSON object."""
    return {
        **fastest(runs).to_plain(),
        "runs": [run.to_plain() for run in runs],
        "stages": diagnosis.shares,
        "counts": diagnosis.recorded.counts,
        "verdict": diagnosis.verdict.to_plain(),
        "warnings": diagnosis.warnings,
        **({} if trace is None else {"trace": {"path": str(trace), "stages": diagnosis.recorded.stages}}),
    }


def show(runs: Sequence[Measurement], diagnosis: Diagnosis, trace: Path | None) -> None:
    """Print tables for people, and what limits."""
    from rich.text import Text

    out = console()
    out.print(table(("workers", "images/s", "first batch", "consumer waits", "peak memory"), _runs(runs)))
    out.print(table(("stage", "share of workers' time"), _shares(diagnosis.shares)))
    if diagnosis.recorded.counts:
        counted = table(("decoder", "images"), _counts(diagnosis.recorded.counts))
        alarms = alarming(diagnosis.recorded.counts)
        for row, name in zip(counted.rows, diagnosis.recorded.counts, strict=True):
            row.style = "yellow" if name in alarms else None
        out.print(counted)
    out.print(Text(diagnosis.verdict.sentence, "bold"), soft_wrap=not out.is_terminal)
    for warning in diagnosis.warnings:
        out.print(Text.assemble(("warning: ", "bold yellow"), (warning, "yellow")), soft_wrap=not out.is_terminal)
    if trace is not None:
        click.echo(f"{trace}: open it in https://ui.perfetto.dev")


def _runs(runs: Sequence[Measurement]) -> list[tuple[str, ...]]:
    return [
        (
            str(run.workers),
            f"{run.images_per_second:,.0f}",
            f"{run.first_batch_seconds:.2f} s",
            f"{run.wait_share:.0%}",
            "unknown" if run.peak_pss_mb is None else f"{run.peak_pss_mb:,.0f} MB",
        )
        for run in runs
    ]


def _shares(shares: Mapping[str, float]) -> list[tuple[str, ...]]:
    return [(group, f"{share:.1%}") for group, share in shares.items()]


def _counts(counts: Mapping[str, int]) -> list[tuple[str, ...]]:
    return [(name, f"{count:,}") for name, count in counts.items()]
