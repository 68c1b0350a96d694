"""What ``leaven data optimize`` and ``leaven data index`` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leaven.errors import printable
from leaven_plugins.commands.data.report import size_text
from leaven_plugins.repacking.repacker import ALREADY, INDEXED, REPACKED

if TYPE_CHECKING:
    from rich.console import Console

    from leaven_plugins.repacking.tally import Tally


def optimized(tally: Tally) -> dict[str, Any]:
    """Return what became of images for programs.

    Keys: ``images`` (their number), ``repacked``, ``indexed`` (had restart markers, and got an index), ``already``
    (nothing was to be done), ``left`` (reason -> how many were left alone for it), ``bytes_before`` and
    ``bytes_after`` of all images, ``ratio`` of the two (null without images).
    """
    return {
        "images": tally.images,
        "repacked": tally.outcomes[REPACKED],
        "indexed": tally.outcomes[INDEXED],
        "already": tally.outcomes[ALREADY],
        "left": tally.left,
        "bytes_before": tally.before,
        "bytes_after": tally.after,
        "ratio": round(tally.after / tally.before, 4) if tally.before else None,
    }


def indexed(tally: Tally) -> dict[str, Any]:
    """Return the same for indices: ``images``, ``indexed``, ``already`` (have one of their own), ``left``."""
    report = optimized(tally)
    return {key: report[key] for key in ("images", "indexed", "already", "left")}


def print_tally(path: str, tally: Tally, console: Console) -> None:
    """Print the same for people."""
    from leaven.cli.output import table

    rows = [("images", f"{tally.images:,}")]
    rows += [(name, f"{tally.outcomes[name]:,}") for name in (REPACKED, INDEXED, ALREADY) if tally.outcomes[name]]
    rows += [(f"left alone: {printable(reason)}", f"{count:,}") for reason, count in tally.left.items()]
    if tally.outcomes[REPACKED]:
        ratio = f"{100 * tally.after / tally.before:.1f} %" if tally.before else ""
        rows.append(("size", f"{size_text(tally.before)} before, {size_text(tally.after)} now ({ratio})"))
    console.print(table(("dataset", printable(path)), rows))
