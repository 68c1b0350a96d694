"""Pictures of curves: policies, one panel for each, and the loss by the learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leaven.errors import LeavenError, MissingPackageError
from leaven_plugins.commands.lr.curves import Curve
from leaven_plugins.commands.lr.found import Found

_COLUMNS = 4
_PANEL = (3.0, 2.1)  # inches
_WIDE = (6.0, 3.6)
_LINE, _FAINT, _MARK = "#1f5fa8", "#d8d8d8", "#c0392b"


def write_picture(path: Path, curves: Sequence[Curve]) -> None:
    """Write a picture of all curves; the suffix tells the format.

    Raises:
        MissingPackageError: there is no matplotlib.
        LeavenError: the picture cannot be written.
    """
    columns = min(len(curves), _COLUMNS)
    rows = -(-len(curves) // columns)
    figure = _figure((columns * _PANEL[0], rows * _PANEL[1]))
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for panel, curve in zip(panels, curves, strict=False):
        _draw(panel, curve)
    for panel in list(panels)[len(curves) :]:
        panel.set_axis_off()
    _save(figure, path)


def write_loss(path: Path, found: Found, title: str) -> None:
    """Write a picture of losses by the rate, which is on a logarithmic axis, and of what is suggested.

    Raises:
        MissingPackageError: there is no matplotlib.
        LeavenError: the picture cannot be written.
    """
    figure = _figure(_WIDE)
    panel = figure.subplots()
    top = max(found.smoothed, default=1.0)
    panel.plot(found.rates, [min(loss, top) for loss in found.losses], color=_FAINT, linewidth=1.0)
    panel.plot(found.rates, found.smoothed, color=_LINE, linewidth=1.6)
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:g}")
    if found.suggestion is not None:
        panel.axvline(found.suggestion, color=_MARK, linewidth=1.0)
        panel.annotate(f" {found.suggestion:.2g}", (found.suggestion, top), color=_MARK, fontsize=8, va="top")
    _finish(panel, title)
    _save(figure, path)


def _draw(panel: Any, curve: Curve) -> None:
    panel.plot(*zip(*curve.points, strict=True), color=_LINE, linewidth=1.6)
    panel.set_xlim(0, curve.epochs)
    panel.set_ylim(bottom=min(0.0, *(value for _, value in curve.points)))
    _finish(panel, curve.name)


def _finish(panel: Any, title: str) -> None:
    panel.set_title(title, loc="left", fontsize=9)
    panel.grid(color=_FAINT, linewidth=0.6)
    panel.tick_params(labelsize=8, length=0)
    panel.spines[["top", "right"]].set_visible(False)


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.figure import Figure  # half a second, for those who want a picture
    except ModuleNotFoundError as error:
        advice = "to install it: pip install 'leaven[plots]'"
        raise MissingPackageError(f"leaven lr ... --out needs matplotlib; {advice}") from error
    return Figure(size, dpi=120, layout="constrained")


def _save(figure: Any, path: Path) -> None:
    if not path.suffix:  # matplotlib would append one, so that the picture was not where it is said to be
        raise LeavenError(f"{path}: the picture cannot be written: a suffix has to tell its format, as in {path}.png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except (OSError, ValueError) as error:  # a suffix that matplotlib does not know is a ValueError
        raise LeavenError(f"{path}: the picture cannot be written: {error}") from error
