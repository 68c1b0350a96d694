"""Lines of a chart: one image with one parameter at both ends of its range, as it is, and as it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log10
from typing import Any, NamedTuple

import numpy as np

from leaven.protocols import Op
from leaven_plugins.commands.show.chart import Cell, Line
from leaven_plugins.commands.show.ends import Ends, ends_of, values_at
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.sample import text_of
from leaven_plugins.commands.show.studio import Studio
from leaven_plugins.workers.image.parameters import GEOMETRY

_COMPARED = 24  # draws of which the least and the most visible are shown, where values have no order
_ROOMY = 1.5  # a scale at which there is room to be shifted in
_MOST_NUMBERS = 3  # in a caption
_STEPS = 50  # that numbers of a range are told apart by, at least

Draws = Sequence[Mapping[str, Any]]


class Shot(NamedTuple):
    """A line, and what is changed in it: of an op (``""`` for the geometry) a key, and the values at both ends."""

    line: Line
    op: str
    key: str
    low: Any
    high: Any


def headings(count: int) -> list[str]:
    """Return the headings of the columns, for ``count`` draws."""
    return ["low", "as it is", "high", *(f"draw {number + 1}" for number in range(count))]


def geometry_shots(studio: Studio, draws: Draws, count: int) -> list[Shot]:
    """Return a line for each parameter of the geometry that differs between draws."""
    found = []
    for key in GEOMETRY:
        values = values_at(draws, key)
        ends = ends_of(values)
        if ends is not None:
            besides = {"scale": _ROOMY} if key == "shift" else {}
            taken = ((studio.with_geometry({**besides, key: value}), value) for value in (*ends, *values[:count]))
            cells = [Cell(picture, caption(value, ends)) for picture, value in taken]
            cells.insert(1, Cell(studio.with_geometry(besides)))
            remark = f"geometry, at scale {_ROOMY}" if besides else "geometry"
            found.append(Shot(Line(key, remark, cells), "", key, *ends))
    return found


def op_shots(studio: Studio, op: Op, name: str, draws: Draws, count: int) -> list[Shot]:
    """Return the lines of an op: one for each of its keys that has an effect alone, else one for all of them together.

    There are none where no draw applies.
    """
    applying = [{key: draw[key] for key in op.keys if key in draw} for draw in draws if op.applies(draw)]
    if not applying:
        return []
    alone = {key: [{key: value} for value in values_at(applying, key) if op.applies({key: value})] for key in op.keys}
    if len(op.keys) > 1 and any(alone.values()):
        return [_op_shot(studio, op, Line(name, key, ()), key, found, count) for key, found in alone.items() if found]
    return [_op_shot(studio, op, Line(name, "", ()), op.keys[0] if len(op.keys) == 1 else "", applying, count)]


def caption(value: Any, ends: Ends) -> str:
    """Return a value in a few words, numbers as exactly as their range asks for; ``""`` for what takes more words."""
    if isinstance(value, (list, tuple)):
        return "" if len(value) > _MOST_NUMBERS else ", ".join(caption(part, ends) for part in value)
    if isinstance(value, float):
        return f"{round(value, _decimals(ends)):.4g}"
    return text_of(value) if isinstance(value, (bool, int)) else ""


def _decimals(ends: Ends) -> int:
    low, high = (sum(end) / len(end) if isinstance(end, (list, tuple)) else end for end in ends)
    return ceil(-log10(max(abs(high - low), 1e-9) / _STEPS))


def _op_shot(studio: Studio, op: Op, line: Line, key: str, draws: Draws, count: int) -> Shot:
    """Return a line with its cells, of one key, or with ``""`` of the whole op; all draws apply."""
    values = values_at(draws, key) if key else []
    plain, ends = Cell(studio.plain()), ends_of(values)
    if ends is None and values and all(value is True for value in values):
        ends = Ends(False, True)
    if ends is None and all(draw == draws[0] for draw in draws):
        cells: list[Cell | None] = [None, plain, Cell(studio.with_op(op, draws[0]))]
        return Shot(line._replace(cells=cells), line.name, line.remark, None, values[0] if values else None)
    low, high = ({key: value} for value in ends) if ends else _by_effect(studio, op, draws[:_COMPARED])
    pictures = [_made(studio, op, draw) for draw in (low, high, *draws[:count])]
    shown = [low.get(key), high.get(key), *values[:count]] if ends else [None] * len(pictures)
    cells = [Cell(picture, caption(value, ends or Ends(0, 1))) for picture, value in zip(pictures, shown, strict=True)]
    cells.insert(1, plain)
    extremes = (ends.low, ends.high) if ends else (dict(low), dict(high))
    return Shot(line._replace(cells=cells), line.name, line.remark, *extremes)


def _made(studio: Studio, op: Op, values: Mapping[str, Any]) -> Pixels:
    return studio.with_op(op, values) if op.applies(values) else studio.plain()


def _by_effect(studio: Studio, op: Op, draws: Draws) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the draws that change the image least and most."""
    plain = studio.plain().astype(np.float32)
    effects = [_distance(studio.with_op(op, draw), plain) for draw in draws]
    return draws[effects.index(min(effects))], draws[effects.index(max(effects))]


def _distance(picture: Pixels, plain: Any) -> float:
    """Return how different two pictures are; those of different sizes are equally so."""
    return float(np.abs(picture - plain).mean()) if picture.shape == plain.shape else 0.0
