"""Ranks: which of the processes that train together this one is, where it is not told but started by torchrun."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from leaven.errors import ParameterError

NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR")
"""What torchrun, and whatever starts processes in its way, sets in the environment of each. One alone means nothing."""


class Rank(NamedTuple):
    """This process's number, from 0, and how many there are."""

    rank: int
    world_size: int


def rank_of(rank: int | None, world_size: int | None, environment: Mapping[str, str] = os.environ) -> Rank:
    """Return what was given, and for ``None`` what the environment says, or else process 0 of 1.

    Raises:
        ParameterError: the environment says what cannot be, or does not go together with the one number given.
    """
    told = _told(environment)
    if world_size is None:
        return Rank(told.rank if rank is None else rank, told.world_size)
    if rank is not None or world_size in (1, told.world_size):
        return Rank((told.rank if world_size == told.world_size else 0) if rank is None else rank, world_size)
    if told.world_size > 1:
        raise ParameterError(
            f"world_size={world_size} and no rank: the environment knows one among {told.world_size} only; give both"
        )
    return Rank(0, world_size)


def _told(environment: Mapping[str, str]) -> Rank:
    if not all(environment.get(name) for name in NAMES):
        return Rank(0, 1)
    world_size = _number("WORLD_SIZE", environment["WORLD_SIZE"], 1, None)
    return Rank(_number("RANK", environment["RANK"], 0, world_size - 1), world_size)


def _number(name: str, text: str, least: int, most: int | None) -> int:
    if text.isascii() and text.isdigit() and least <= int(text) <= (int(text) if most is None else most):
        return int(text)
    end = "" if most is None else f" to {most}"
    raise ParameterError(f"{name}={text!r} in the environment: expected a whole number from {least}{end}")
