"""Depot: several tanks, which are emptied side by side."""

from __future__ import annotations

from typing import Any

from leaven.data.tank import Tank
from leaven.errors import ParameterError, listing, suggestion


class Depot:
    """Tanks by name.

    ::

        depot = Depot()
        depot.mount(Tank("labelled.hdf5", spec, 32), "labelled")
        depot.mount(Tank("others.hdf5", spec, 96), "others")
        batches = depot.next()  # {"labelled": ..., "others": ...}
    """

    def __init__(self) -> None:
        self._tanks: dict[str, Tank] = {}
        self._mounted = 0

    @property
    def mpe(self) -> dict[str, int]:
        """How many batches make up one pass over each tank."""
        return {name: tank.mpe for name, tank in self._tanks.items()}

    def mount(self, tank: Tank, name: str | None = None) -> str:
        """Add a tank and return its name: ``name``, or one that was not used before.

        Raises:
            ParameterError: the tank is mounted already, or the name is taken.
        """
        for known, other in self._tanks.items():
            if other is tank or known == name:
                raise ParameterError(
                    f"{'this tank is mounted already, as' if other is tank else 'there is a tank'} {known!r}"
                )
        while name is None or name in self._tanks:
            name, self._mounted = f"tank{self._mounted}", self._mounted + 1
        self._tanks[name] = tank
        return name

    def unmount(self, name: str) -> Tank:
        """Take a tank out, and return it; raises as :meth:`next` does."""
        return self._tanks.pop(self._known(name))

    def next(self, name: str | None = None) -> Any:
        """Return the next batch of one tank, or a dict with those of all.

        Raises:
            ParameterError: there is no such tank, or none at all.
        """
        if name is not None:
            return self._tanks[self._known(name)].next()
        if not self._tanks:
            raise ParameterError("no tank is mounted")
        return {known: tank.next() for known, tank in self._tanks.items()}

    def _known(self, name: str) -> str:
        if name not in self._tanks:
            raise ParameterError(f"no tank {name!r}{suggestion(name, self._tanks)}; there is: {listing(self._tanks)}")
        return name
