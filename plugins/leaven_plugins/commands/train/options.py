"""RunOptions: what the command line changes of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunOptions:
    """How a run differs from what its configuration says.

    Attributes:
        resume: snapshot to go on from.
        limit_train: iterations of each epoch to train on, or, below 1, the share of them.
        limit_val: the same for validation.
        overfit: train and validate on so many samples, always the same; 0 for all.
        dry_run: two iterations of everything, to see whether it works.
    """

    resume: Path | None = None
    limit_train: float | None = None
    limit_val: float | None = None
    overfit: int = 0
    dry_run: bool = False
