"""Budgets: numbers of bytes, also as text such as ``4GiB``."""

from __future__ import annotations

import re
from fractions import Fraction

from leaven.errors import ParameterError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kKMGT])(i?))?B?")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def bytes_of(budget: int | str, what: str) -> int:
    """Return a budget in bytes.

    Args:
        budget: a number of bytes, or text: ``"500MB"`` are 500 * 10^6 bytes, ``"4GiB"`` are 4 * 2^30.
        what: the component that it is of, for errors.

    Raises:
        ParameterError: it is neither, or not above 0.
    """
    found = budget if isinstance(budget, int) and not isinstance(budget, bool) else _parsed(budget)
    if found is None or found <= 0:
        raise ParameterError(f"{what}: budget={budget!r}: expected bytes above 0, such as 500_000_000, '500MB', '4GiB'")
    return found


def _parsed(budget: object) -> int | None:
    match = _SIZE.fullmatch(budget.strip()) if isinstance(budget, str) else None
    if match is None:
        return None
    number, prefix, binary = match[1], match[2] or "", match[3]
    return int(Fraction(number) * (1024 if binary else 1000) ** _POWERS[prefix])
