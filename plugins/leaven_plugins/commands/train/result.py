"""What a run gave: for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Any

_Z95 = 1.959963984540054
"""Of the normal distribution, 95 % lie within this many standard deviations."""


@dataclass(frozen=True)
class Result:
    """The outcome of a training run.

    Attributes:
        accuracy: of the last epoch, 0 to 1: in validation or, without it, in training. ``None`` if it was not measured.
        interval: 95 % confidence interval of the accuracy, as if its images were drawn at random.
        images: how many images the accuracy is of.
        epochs: epochs done, those before a resumption included.
        seconds: how long it took.
        losses: mean training loss of each epoch of this run.
        values: what the metrics said last, in validation or, without it, in training, and the ``loss``.
        snapshot: folder of the last snapshot, ``None`` where the trainer makes none.
        log: file of the log.
        sheet: file of the contact sheet.
        predictions: file of the sheet of predictions, ``None`` where there is none.
        stopped: why the run ended before its last epoch, ``None`` if it did not.
        signal: number of the signal that ended it; 0 for none.
        rank: of this process among those that trained together; the others' results are the same.
    """

    accuracy: float | None
    interval: tuple[float, float] | None
    images: int
    epochs: int
    seconds: float
    losses: tuple[float, ...]
    values: dict[str, float]
    snapshot: Path | None
    log: Path
    sheet: Path
    predictions: Path | None = None
    stopped: str | None = None
    signal: int = 0
    rank: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        plain = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}
        del plain["rank"]  # it is rank 0 that tells
        return plain


def result_of(
    state: Mapping[str, Any], epochs: int, folder: Path, snapshot: Path | None, seconds: float, signal: int = 0
) -> Result:
    """Return the result of a run in ``folder`` from its trainer's state."""
    records = state.get("records", [])
    last = records[-1] if records else {}
    predictions = folder / "predictions.png"
    accuracy, images = last.get("accuracy"), last.get("samples", 0)
    return Result(
        accuracy=accuracy,
        interval=None if accuracy is None else wilson_interval(accuracy, images),
        images=images,
        epochs=int(last.get("epoch", epochs)),
        seconds=seconds,
        losses=tuple(record["loss"] for record in records if record["phase"] == "train"),
        values=_values(state),
        snapshot=snapshot,
        log=folder / "log.jsonl",
        sheet=folder / "sheet.png",
        predictions=predictions if predictions.exists() else None,
        stopped=state.get("stopped"),
        signal=signal,
    )


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share that was found in ``count`` random trials.

    Wilson, "Probable inference, the law of succession, and statistical inference" (1927); unlike the normal
    approximation it stays within 0 to 1 and is right for shares near them.
    """
    if count == 0:
        return 0.0, 1.0
    spread = _Z95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z95 * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def value_lines(result: Result) -> list[tuple[str, str]]:
    """Return name and text of each value that was measured; the accuracy with its interval."""
    lines = []
    for name, value in result.values.items():
        if name == "accuracy" and result.interval is not None:
            low, high = result.interval
            lines.append((name, f"{value:.2%} (95 % interval {low:.1%} to {high:.1%}, {result.images} images)"))
        else:
            lines.append((name, f"{value:.4g}"))
    return lines


def _values(state: Mapping[str, Any]) -> dict[str, float]:
    """Return what was measured last, the loss at the end."""
    for phase in ("val", "train"):
        found = state.get(f"{phase}_metric_values")
        if found:
            others = {key: value for key, value in found[-1].items() if key != "loss"}
            return {**others, "loss": found[-1]["loss"]}
    return {}
