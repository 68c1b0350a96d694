"""Gradients: whether they are computed, and whether weights are to be updated by them.

Each is entered by ``with``, and says what the code within is to do::

    with updating() as is_update:
        loss = criterion(model(sample))
        if is_update:
            loss.backward()
            optimizer.step()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def updating() -> Iterator[bool]:
    """Compute gradients; yield ``True``: weights are to be updated."""
    with torch.enable_grad():
        yield True


@contextmanager
def gradients_only() -> Iterator[bool]:
    """Compute gradients, such as those of the input; yield ``False``: weights stay as they are."""
    with torch.enable_grad():
        yield False


@contextmanager
def no_gradients() -> Iterator[bool]:
    """Compute no gradients; yield ``False``."""
    with torch.no_grad():
        yield False
