"""Batches of indices: passes that follow each other, in order or shuffled by a generator that is passed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError

ENDLESS = -1
"""As a number of passes: there is no end."""


def generator_of(shuffle: Any, turn: int) -> Any:
    """Return what draws permutations, or ``None`` where the order is to be kept.

    Args:
        shuffle: ``None`` or ``False``; a seed; ``True`` for the seed ``turn``; or a generator of numpy, or anything
            else with ``permutation``, which is used as it is.
        turn: how often ``True`` was asked for before.

    Raises:
        ParameterError: it is something else.
    """
    if shuffle is None or shuffle is False:
        return None
    if hasattr(shuffle, "permutation"):
        return shuffle
    if isinstance(shuffle, (int, np.integer)) and shuffle >= 0:
        return np.random.default_rng(turn if shuffle is True else int(shuffle))
    raise ParameterError(f"shuffle={shuffle!r}: expected None, a bool, a seed of at least 0, or a generator of numpy")


def seed_of(generator: Any) -> int:
    """Return a seed of 64 bits that a generator draws, or 0 where there is none."""
    if generator is None:
        return 0
    words = generator.permutation(1 << 16)[:4]  # the one method that all kinds of generators have in common
    return sum(int(word) << 16 * place for place, word in enumerate(words))


def index_batches(indices: NDArray[np.int64], repeats: int, batch_size: int, generator: Any) -> Iterator[Any]:
    """Yield batches of indices; they run across the ends of passes, and only the last one may be smaller.

    One permutation is drawn for each pass, when its first index is needed.
    """
    passes = _passes(indices, repeats, generator)
    rest = indices[:0]
    while True:
        parts, missing = [], batch_size
        while missing:
            if not len(rest):
                rest = next(passes, rest)
            if not len(rest):
                break
            parts.append(rest[:missing])
            rest = rest[missing:]
            missing -= len(parts[-1])
        if not parts:
            return
        yield np.concatenate(parts)


def _passes(indices: NDArray[np.int64], repeats: int, generator: Any) -> Iterator[NDArray[np.int64]]:
    done = 0
    while len(indices) and (repeats == ENDLESS or done < repeats):
        yield indices if generator is None else indices[generator.permutation(len(indices))]
        done += 1


def num_batches(count: int, batch_size: int) -> int:
    """Return how many batches ``count`` samples make."""
    return -(-count // batch_size)


def check_batch_size(batch_size: Any) -> None:
    """Raise a ``ParameterError`` for what is no number of samples."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ParameterError(f"batch_size={batch_size!r}: expected a whole number, at least 1")


def check_repeats(repeats: Any) -> None:
    """Raise a ``ParameterError`` for what is no number of passes."""
    if isinstance(repeats, bool) or not isinstance(repeats, int) or (repeats < 1 and repeats != ENDLESS):
        raise ParameterError(f"repeats={repeats!r}: expected a whole number, at least 1, or -1 for no end")
