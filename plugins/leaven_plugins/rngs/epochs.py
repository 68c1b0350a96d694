"""Epochs: RNGs that draw otherwise as training goes on."""

from __future__ import annotations

from leaven.protocols import Rng


def at_epoch(rng: Rng, epoch: int) -> Rng:
    """Return what draws in one epoch: what the RNG's own ``at_epoch(epoch)`` says, or itself where it has none.

    An RNG stays a pure function of its arguments by this: it does not count, and any worker can draw for any epoch.

    Args:
        rng: of any kind; one that wraps another asks that as well.
        epoch: how many times the whole dataset came before.
    """
    found = getattr(rng, "at_epoch", None)
    return rng if found is None else found(epoch)
