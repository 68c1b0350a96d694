"""Progress: how far a policy is in the part of the run that is its own."""

from __future__ import annotations

from leaven.errors import ParameterError


def passed(epoch: float, last_epoch: float) -> float:
    """Return how many epochs, or steps, a policy has behind it that took over after ``last_epoch`` of them."""
    return max(epoch - last_epoch, 0.0)


def share(epoch: float, num_epochs: float, last_epoch: float) -> float:
    """Return which share of its epochs a policy has behind it, from 0 to 1; 1 beyond the end.

    Raises:
        ParameterError: there are none after ``last_epoch``.
    """
    if not num_epochs > last_epoch:
        raise ParameterError(f"last_epoch={last_epoch:g}: the run has {num_epochs:g}, so that no time is left")
    return min(passed(epoch, last_epoch) / (num_epochs - last_epoch), 1.0)
