"""Saver: when snapshots are made, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import ParameterError
from leaven_plugins.distributed.world import World
from leaven_plugins.snapshots.files import Snapshot, load_snapshot
from leaven_plugins.snapshots.shelf import Shelf, name_of

_LESS_IS_BETTER = ("loss", "mse", "error")


@dataclass(frozen=True)
class Keeping:
    """Which snapshots are made and kept.

    Args:
        interval: epochs from one to the next; 0 for none.
        steps: optimizer steps from one within an epoch to the next; 0 for none.
        last: how many of the newest are kept; ``None`` for all.
        best: how many of the best are kept as well.
        every: those after every so many epochs are kept for good; 0 for none.
        monitor: the value that says which are best, such as ``val_loss`` or ``train_accuracy``.
        mode: ``min``, ``max``, or ``auto``: less is better for what ends in loss, mse or error.

    Raises:
        ParameterError: a number is negative, or the mode is none of these.
    """

    interval: int = 1
    steps: int = 0
    last: int | None = None
    best: int = 1
    every: int = 0
    monitor: str = "val_loss"
    mode: str = "auto"

    def __post_init__(self) -> None:
        counts = {
            "snapshot_interval": self.interval,
            "snapshot_steps": self.steps,
            "keep_best": self.best,
            "keep_every": self.every,
        }
        for name, value in counts.items():
            if value < 0:
                raise ParameterError(f"trainer standard: {name}={value}: expected 0 or more")
        if self.last is not None and self.last < 1:
            raise ParameterError(f"trainer standard: keep_last={self.last}: expected 1 or more")
        if self.mode not in ("auto", "min", "max"):
            raise ParameterError(f"trainer standard: monitor_mode={self.mode!r}: expected auto, min or max")

    @property
    def direction(self) -> str:
        """``min`` or ``max``."""
        if self.mode != "auto":
            return self.mode
        return "min" if self.monitor.endswith(_LESS_IS_BETTER) else "max"


class Place(NamedTuple):
    """Where a run is: epochs done, iterations and steps of all epochs, and whether an epoch is under way."""

    epoch: int
    iteration: int
    step: int
    within: bool


class Saver:
    """Writes snapshots of a run, from rank 0, into ``snapshots`` of its folder.

    Args:
        outdir: the run's folder, ``None`` for no snapshots.
        keeping: which are made and kept.
        world: the ranks.

    Attributes:
        latest: folder of the last one.
    """

    def __init__(self, outdir: Path | None, keeping: Keeping, world: World) -> None:
        self.keeping = keeping
        self.latest: Path | None = None
        self._world = world
        self._shelf = None
        if outdir is not None:
            self._shelf = Shelf(
                outdir / "snapshots",
                keep_last=keeping.last,
                keep_best=keeping.best,
                every=keeping.every,
                monitor=keeping.monitor,
                mode=keeping.direction,
            )

    @property
    def is_on(self) -> bool:
        """Whether there is a folder to write to."""
        return self._shelf is not None

    def due_after_epoch(self, epoch: int) -> bool:
        """Return whether the interval asks for a snapshot."""
        return self.is_on and self.keeping.interval > 0 and epoch % self.keeping.interval == 0

    def due_after_step(self, step: int) -> bool:
        """Return whether there has to be one within the epoch."""
        return self.is_on and self.keeping.steps > 0 and step % self.keeping.steps == 0

    def save(self, place: Place, parts: Mapping[str, Any], about: Mapping[str, Any], values: Mapping[str, Any]) -> Path:
        """Write a snapshot; all ranks wait until it is there. Return its folder."""
        assert self._shelf is not None
        epoch = place.epoch + 1 if place.within else place.epoch
        name = name_of(epoch, place.iteration, complete=not place.within)
        if self._world.rank == 0:
            self._shelf.save(name, Snapshot(parts, about), values)
        self._world.barrier()
        self.latest = self._shelf.folder / name
        return self.latest

    def last(self) -> Snapshot | None:
        """Return the snapshot that was written last by this run."""
        return None if self.latest is None else load_snapshot(self.latest)
