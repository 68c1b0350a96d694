"""A picture of curves: one panel for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leaven.errors import LeavenError, MissingPackageError
from leaven_plugins.commands.lr.curves import Curve

_COLUMNS = 4
_PANEL = (3.0, 2.1)  # inches
_LINE, _FAINT = "#1f5fa8", "#d8d8d8"


def write_picture(path: Path, curves: Sequence[Curve]) -> None:
    """Write a picture of all curves; the suffix tells the format.

    Raises:
        MissingPackageError: there is no matplotlib.
        LeavenError: the picture cannot be written.
    """
    try:
        from matplotlib.figure import Figure  # half a second, for those who want a picture
    except ModuleNotFoundError as error:
        advice = "to install it: pip install 'leaven[plots]'"
        raise MissingPackageError(f"leaven lr plot --out needs matplotlib; {advice}") from error
    columns = min(len(curves), _COLUMNS)
    rows = -(-len(curves) // columns)
    figure = Figure((columns * _PANEL[0], rows * _PANEL[1]), dpi=120, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for panel, curve in zip(panels, curves, strict=False):
        _draw(panel, curve)
    for panel in list(panels)[len(curves) :]:
        panel.set_axis_off()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except (OSError, ValueError) as error:  # a suffix that matplotlib does not know is a ValueError
        raise LeavenError(f"{path}: the picture cannot be written: {error}") from error


def _draw(panel: Any, curve: Curve) -> None:
    panel.plot(*zip(*curve.points, strict=True), color=_LINE, linewidth=1.6)
    panel.set_title(curve.name, loc="left", fontsize=9)
    panel.set_xlim(0, curve.epochs)
    panel.set_ylim(bottom=min(0.0, *(value for _, value in curve.points)))
    panel.grid(color=_FAINT, linewidth=0.6)
    panel.tick_params(labelsize=8, length=0)
    panel.spines[["top", "right"]].set_visible(False)
