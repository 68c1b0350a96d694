"""Results: predictions as plain data, one dict for each image; as a table for people, as CSV and JSON files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from leaven.cli.output import table
from leaven.errors import LeavenError
from leaven_plugins.commands.predict.drawing import labels_of
from leaven_plugins.commands.predict.outputs import Predicted, Seen
from leaven_plugins.snapshots.placing import file_in_place

Result = dict[str, Any]


def results_of(rows: Seen, keys: Sequence[str], names: Sequence[str], top: int, with_target: bool) -> Iterator[Result]:
    """Yield what is predicted of each row.

    It has the image's ``key``; of classification ``classes``, the ``top`` ones with ``label``, ``name`` and
    ``probability``, and ``target`` where that is known; of a mask ``classes`` with ``label``, ``name`` and ``share`` of
    the pixels; of a map the place ``x``, ``y`` (0 to 1) of the largest ``value``; of numbers the ``numbers``.
    """
    labels = labels_of(rows.predicted, rows.target) if with_target and rows.predicted.kind == "classes" else None
    for place, key in enumerate(keys):
        target = {} if labels is None else {"target": labels[place]}
        yield {"key": key, **_of_row(rows.predicted, place, rows.predicted.named(names), top), **target}


def _of_row(predicted: Predicted, place: int, names: Sequence[str], top: int) -> Result:
    values = predicted.values[place]
    if predicted.kind == "classes":
        best = np.argsort(-values, kind="stable")[:top].tolist()
        return {"classes": [{**_class(number, names), "probability": float(values[number])} for number in best]}
    if predicted.kind == "mask":
        shares = np.bincount(values.ravel(), minlength=predicted.classes) / values.size
        return {"classes": [{**_class(number, names), "share": float(share)} for number, share in enumerate(shares)]}
    if predicted.kind == "map":
        y, x = np.unravel_index(int(np.nan_to_num(values, nan=-np.inf).argmax()), values.shape)
        height, width = values.shape
        return {"x": (float(x) + 0.5) / width, "y": (float(y) + 0.5) / height, "value": float(values[y, x])}
    return {"numbers": values.tolist()} if predicted.kind == "numbers" else {"shape": list(values.shape)}


def _class(number: int, names: Sequence[str]) -> Result:
    return {"label": number, "name": names[number]}


def table_of(results: Sequence[Result]) -> Table:
    """Return a table for people."""
    with_target = any("target" in result for result in results)
    columns = ("image", *(("is",) if with_target else ()), "predicted")
    return table(columns, [_cells(result, with_target) for result in results])


def _cells(result: Result, with_target: bool) -> tuple[str, ...]:
    target = (str(result.get("target", "")),) if with_target else ()
    return str(result["key"]), *target, _text(result)


def _text(result: Result) -> str:
    if "classes" in result:
        parts = [(entry["name"], entry.get("probability", entry.get("share"))) for entry in result["classes"]]
        return "   ".join(f"{name} {share:.1%}" for name, share in parts)
    if "value" in result:
        return f"largest value {result['value']:.4g} at x {result['x']:.0%}, y {result['y']:.0%}"
    return ", ".join(f"{name} {value}" for name, value in result.items() if name != "key")


def write_results(path: Path, results: Sequence[Result]) -> None:
    """Write a JSON or CSV file, as its suffix says; the file gets its name once it is complete.

    A column of the CSV file is called by its place, such as ``classes.1.probability``, counted from 1. The folder is
    made where it is missing.

    Raises:
        LeavenError: it cannot be written.
    """
    text = json.dumps(list(results), indent=1) if path.suffix.lower() == ".json" else _csv(results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_in_place(path) as temporary:
            temporary.write_text(text, "utf-8")
    except OSError as error:
        raise LeavenError(f"{path}: the predictions cannot be written: {error.strerror or error}") from error


def _csv(results: Sequence[Result]) -> str:
    rows = [dict(_flat(result)) for result in results]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    entries = value.items() if isinstance(value, Mapping) else enumerate(value, 1)
    for name, part in entries:
        here = f"{path}.{name}" if path else str(name)
        if isinstance(part, (Mapping, list)):
            yield from _flat(part, here)
        else:
            yield here, part
