"""Positions of samples: whole numbers, of which negative ones count from the end."""

from __future__ import annotations

import operator
from pathlib import Path


def checked(index: int, count: int, where: str | Path) -> int:
    """Return the position, 0 to below ``count``, that ``index`` means.

    Raises:
        IndexError: there is no such sample; the text names ``where``.
    """
    position = operator.index(index)
    if not -count <= position < count:
        raise IndexError(f"{where}: no sample {position}, there are {count}")
    return position % count
