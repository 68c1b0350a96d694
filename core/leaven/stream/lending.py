"""Lease: learns when the last array that shows some memory has died."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class Lease(weakref.ref[Any]):
    """A reference to an array that is the only one of its memory; views of it keep it alive.

    Args:
        memory: the array.
        ended: called with the lease once the array has died, if the lease itself still lives. It should run no Python
            code, as ``deque.append`` or ``set.discard``: a Ctrl-C that arrives within a Python finalizer would be
            printed and forgotten.
        about: what is lent out.
    """

    __slots__ = ("about",)

    about: Any

    def __new__(cls, memory: Any, ended: Callable[[Lease], object], about: Any) -> Lease:
        """Make the reference."""
        self = super().__new__(cls, memory, ended)
        self.about = about
        return self

    def __init__(self, memory: Any, ended: Callable[[Lease], object], about: Any) -> None:
        """Nothing is left to do; the constructor of references would not take ``about``."""

    __hash__ = object.__hash__  # that of references is their object's, and arrays have none
    __eq__ = object.__eq__
