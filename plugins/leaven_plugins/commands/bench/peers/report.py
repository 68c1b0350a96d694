"""The report: a table for people, and everything as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2

from leaven_plugins.commands.bench.peers.corpus import Corpus
from leaven_plugins.commands.bench.peers.passes import Score, Scores
from leaven_plugins.commands.bench.peers.works import parameters

_HEADINGS = ("peer", "images/s", "to baseline", "efficiency", "first batch", "peak memory")
_WITH_QUALITY = (*_HEADINGS, "PSNR")


def headings(scores: Scores) -> Sequence[str]:
    """Return the headings of the table of a work."""
    return _WITH_QUALITY if _has_quality(scores) else _HEADINGS


def rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return the rows of the table of a work, the fastest peer first."""
    return [(*_row(score), *([_decibels(score)] if _has_quality(scores) else [])) for score in scores.scores]


def plain(works: Sequence[Scores], corpora: Iterable[Corpus], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON report."""
    return {
        "machine": machine(),
        "settings": dict(settings),
        "parameters": parameters(),
        "corpora": {corpus.manifest.kind: vars(corpus.manifest) for corpus in corpora},
        "works": [scores.to_plain() for scores in works],
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the loaders."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "opencv": cv2.__version__,
    }


def _row(score: Score) -> tuple[str, ...]:
    low, *_, high = (score.rates[0], score.rates[-1])
    memory = score.peak_pss_mb
    return (
        score.name,
        f"{score.images_per_second:,.0f} [{low:,.0f}-{high:,.0f}]",
        f"{score.ratio:.2f}",
        f"{score.efficiency:.2f}",
        f"{score.first_batch_seconds:.2f} s",
        "unknown" if memory is None else f"{memory:,.0f} MB",
    )


def _has_quality(scores: Scores) -> bool:
    return any(score.psnr_db is not None for score in scores.scores)


def _decibels(score: Score) -> str:
    return "" if score.psnr_db is None else f"{score.psnr_db:.1f} dB"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
