"""What ``leaven data info`` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from leaven.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

    from leaven_plugins.commands.data.survey import Survey

_MOST_CLASSES = 20
_BAR = 30
_BINS, _LEVELS = 16, " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


def report(path: str, format: str, seen: Survey, index_problem: str | None) -> dict[str, Any]:  # noqa: A002
    """Return the report for programs.

    Keys: ``path`` and ``format`` of the dataset, ``samples`` (their number), ``bytes`` (of all of them), ``fields``
    (name -> type, of the first), ``classes`` (label -> number of samples), ``image_sizes`` (``height`` and ``width`` ->
    ``[min, median, max]``, null without images), ``images`` (how many can be read), ``indexed`` (how many of these are
    JPEGs with an index or restart markers), ``index_problem`` (of the file that ``leaven data index`` wrote, or null),
    ``unreadable`` (key -> reason, of images that are none).
    """
    return {
        "path": path,
        "format": format,
        "samples": seen.samples,
        "bytes": seen.nbytes,
        "fields": seen.fields,
        "classes": {str(label): count for label, count in seen.classes.items()},
        "image_sizes": {side: list(spread) for side, spread in seen.image_sizes.items()} or None,
        "images": seen.images,
        "indexed": seen.indexed,
        "index_problem": index_problem,
        "unreadable": seen.unreadable,
    }


def print_report(
    path: str,
    format: str,  # noqa: A002
    seen: Survey,
    index_problem: str | None,
    console: Console,
) -> None:
    """Print the report for people."""
    from leaven.cli.output import table

    console.print(table(("dataset", printable(path)), _overview(format, seen, index_problem)))
    if seen.fields:
        fields = [(printable(name), kind) for name, kind in seen.fields.items()]
        console.print(table(("field", "type in the first sample"), fields))
    if seen.classes:
        console.print(table(("label", "samples", ""), _histogram(seen)))
    if seen.unreadable:
        rows = [(printable(key), printable(reason)) for key, reason in list(seen.unreadable.items())[:_MOST_CLASSES]]
        console.print(table(("unreadable image", "reason"), rows))


def spread(values: Sequence[int]) -> tuple[int, float, int]:
    """Return the smallest, the median and the largest of some numbers."""
    return min(values), float(median(values)), max(values)


def size_text(nbytes: float) -> str:
    """Return a number of bytes in the unit that suits it, such as ``1.5 MB``."""
    value, unit = float(nbytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"


def label_text(label: int | str, names: Mapping[int | str, str]) -> str:
    """Return a label with the name of its class."""
    name = names.get(label, str(label))
    return printable(name if name == str(label) else f"{label} {name}")


def first_of(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return as many rows as fit on a screen, and one that says how many more there are."""
    rows = list(rows)
    rest = len(rows) - _MOST_CLASSES
    return rows if rest <= 0 else [*rows[:_MOST_CLASSES], (f"... {rest:,} more",) + ("",) * (len(rows[0]) - 1)]


def samples_text(count: int) -> str:
    """Return a number of samples, such as ``1 sample``."""
    return f"{count:,} sample{'s' * (count != 1)}"


def pixels_text(smallest: int, largest: int) -> str:
    """Return a range of pixels, or the one number that it comes to."""
    return f"{smallest} px" if smallest == largest else f"{smallest} to {largest} px"


def _overview(format: str, seen: Survey, index_problem: str | None) -> list[tuple[str, str]]:  # noqa: A002
    rows = [("format", format), ("samples", f"{seen.samples:,}"), ("size", size_text(seen.nbytes))]
    if seen.samples:
        rows.append(("per sample", _bytes_text(*spread(seen.sample_bytes)) + _curve(seen.sample_bytes)))
    if seen.classes:
        rows.append(("classes", f"{len(seen.classes):,}, {_counts_text(*spread(list(seen.classes.values())))}"))
    rows += [(f"image {side}", _spread_text(*spread)) for side, spread in seen.image_sizes.items()]
    if seen.images:
        rows.append(("indexed", f"{seen.indexed:,} of {seen.images:,} images ({seen.indexed / seen.images:.0%})"))
    if index_problem is not None:
        rows.append(("index not used", printable(index_problem)))
    if seen.unreadable:
        rows.append(("unreadable", f"{len(seen.unreadable):,} images"))
    return rows


def _bytes_text(smallest: int, median: float, largest: int) -> str:
    if smallest == largest:
        return size_text(smallest)
    return f"{size_text(smallest)} to {size_text(largest)}, median {size_text(median)}"


def _counts_text(smallest: int, median: float, largest: int) -> str:
    if smallest == largest:
        return f"{samples_text(smallest)} each"
    return f"{smallest:,} to {largest:,} samples each, median {median:,g}"


def _curve(values: Sequence[int]) -> str:
    """Return a histogram of one line, from the smallest value to the largest; nothing where all are the same."""
    low, high = min(values), max(values)
    if low == high:
        return ""
    counts = Counter(min(_BINS - 1, (value - low) * _BINS // (high - low)) for value in values)
    most = max(counts.values())
    return "  " + "".join(_LEVELS[-(-counts[number] * (len(_LEVELS) - 1) // most)] for number in range(_BINS))


def _spread_text(smallest: int, median: float, largest: int) -> str:
    text = pixels_text(smallest, largest)
    return text if smallest == largest else f"{text}, median {median:g}"


def _histogram(seen: Survey) -> list[tuple[str, ...]]:
    most = max(seen.classes.values())
    return first_of(
        (label_text(label, seen.names), f"{count:,}", "\u2588" * round(_BAR * count / most))
        for label, count in seen.classes.items()
    )
