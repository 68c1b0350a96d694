"""Fitting: whether what an RNG draws can be used by the worker that it draws for.

An RNG may have a method ``check(fixed, keys)``, which workers call when they are made: with the parameters that the
worker fixes, and the keys of a draw that its ops read. It raises a :class:`~leaven.errors.ParameterError` where its
draws would be ignored, or turned into something else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from leaven.errors import ParameterError
from leaven.protocols import Rng

_PLACING = ("aspect", "scale", "scale_mode", "shift")


def check_fit(rng: Rng | None, fixed: Collection[str], keys: Collection[str]) -> None:
    """Let an RNG check what it draws for.

    Args:
        rng: which may have a method ``check``.
        fixed: the names of parameters that the worker fixes.
        keys: those that its ops read.

    Raises:
        ParameterError: as the RNG says.
    """
    check = getattr(rng, "check", None)
    if check is not None:
        check(fixed, keys)


def check_placing(rng: str, fixed: Collection[str]) -> None:
    """Check that nothing is fixed of what a place in the image is drawn by: only together do these values mean one.

    Raises:
        ParameterError: something is.
    """
    for key in _PLACING:
        if key in fixed:
            raise ParameterError(
                f"rng {rng} draws a place in the image, which a fixed {key!r} would change: leave it out"
            )


def check_ops(rng: str, drawn: Iterable[str], keys: Collection[str]) -> None:
    """Check that an op reads each of the keys that are drawn for ops; each has the name of its op.

    Raises:
        ParameterError: none does.
    """
    unread = sorted(set(drawn) - set(keys))
    if unread:
        names = ", ".join(f'"{name}"' for name in unread)
        raise ParameterError(f"rng {rng} draws what none of the worker's ops reads: add {names} to ops")
