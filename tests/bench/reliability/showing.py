"""What the programs have in common: rows of the table, hashes of streams, quantiles."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "data" / "loader_parts")]  # worker processes find the parts there, too

NOT_CONTENT = {"pid"}  # who made a batch is no part of it


class Row(NamedTuple):
    """One line of the table: what was tried, what is promised, what was found, and whether the promise was kept.

    ``kept`` is about correctness and hard limits; ``None`` where a figure is only reported.
    """

    what: str
    promise: str
    found: str
    kept: bool | None

    def markdown(self) -> str:
        verdict = {True: "kept", False: "**broken**", None: ""}[self.kept]
        return f"| {self.what} | {self.promise} | {self.found} | {verdict} |"


class Shown(NamedTuple):
    """What one program has found."""

    program: str
    rows: list[Row]
    figures: dict[str, Any]

    @property
    def kept(self) -> bool:
        """Whether no promise was broken."""
        return all(row.kept is not False for row in self.rows)


def present(shown: Shown) -> None:
    """Print one JSON object and the rows in Markdown; exit with 1 where a promise was broken."""
    print(json.dumps({**shown._asdict(), "rows": [row._asdict() for row in shown.rows], "kept": shown.kept}))
    for row in shown.rows:
        print(row.markdown())
    sys.exit(0 if shown.kept else 1)


def digest(batches: Iterable[Mapping[str, Any]]) -> str:
    """Return a hash of everything in the batches that must not depend on how they were made."""
    found = hashlib.sha256()
    for batch in batches:
        for key, value in sorted(batch.items()):
            if key in NOT_CONTENT:
                continue
            plain = (value.dtype.str, value.shape) if isinstance(value, np.ndarray) else value
            found.update(repr((key, plain)).encode())
            if isinstance(value, np.ndarray):
                found.update(value.tobytes())
    return found.hexdigest()


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum, rounded to 0.1 ms."""
    found = {"p50": np.median(values), "p99": np.quantile(values, 0.99), "max": max(values)} if values else {}
    return {name: round(float(value), 4) for name, value in found.items()}
