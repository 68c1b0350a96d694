"""The snapshots of a run: how they are called, which are kept, which is the last one and which the best.

Nothing but the snapshots themselves says so: there is no index that could disagree with them. ``epoch_0003`` was made
after epoch 3, ``epoch_0003_step_00000120`` within it, after iteration 120 of the run.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from leaven.errors import ParameterError, listing, suggestion
from leaven_plugins.snapshots.errors import SnapshotError
from leaven_plugins.snapshots.files import Snapshot, remove_snapshot, save_snapshot
from leaven_plugins.snapshots.manifest import MANIFEST, read_about, verify_snapshot

_NAME = re.compile(r"epoch_(\d+)(?:_step_(\d+))?(\.old-[0-9a-f-]+)?")
_MODES = {"min": 1.0, "max": -1.0}

Tell = Callable[[str], None]


def name_of(epoch: int, iteration: int = 0, complete: bool = True) -> str:
    """Return the name of a snapshot: after ``epoch`` or, if not ``complete``, within it after ``iteration`` in all."""
    return f"epoch_{epoch:04d}" if complete else f"epoch_{epoch:04d}_step_{iteration:08d}"


def ignore(_: str) -> None:
    """Tell nobody."""


class Shelf:
    """A folder of snapshots, of which some are kept.

    What was just saved is always kept, and nothing is deleted before it is on the disk. Of the others, those are kept
    for which any of ``keep_last``, ``keep_best`` or ``every`` speaks. Torn ones are neither counted nor deleted, nor
    is a folder in which something else lies as well.

    Args:
        folder: where the snapshots are; made when the first one is saved.
        keep_last: how many of the newest are kept; ``None`` for all.
        keep_best: how many of the best are kept, of those that have the value ``monitor``.
        every: those after every so many epochs are kept for good; 0 for none.
        monitor: the value that tells which is best: ``"val_loss"`` is ``values["val_loss"]`` or
            ``values["val"]["loss"]``. Values that are not finite are never the best.
        mode: ``"min"`` where a smaller value is better, ``"max"`` where a larger one is.

    Raises:
        ParameterError: a number is out of range, or ``mode`` is none.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        keep_last: int | None = None,
        keep_best: int = 0,
        every: int = 0,
        monitor: str = "val_loss",
        mode: str = "min",
    ) -> None:
        if mode not in _MODES:
            raise ParameterError(f"shelf: mode={mode!r}{suggestion(mode, _MODES)}: expected 'min' or 'max'")
        if keep_last is not None and keep_last < 1:
            raise ParameterError(f"shelf: keep_last={keep_last}: expected at least 1, or None for all")
        if min(keep_best, every) < 0:
            raise ParameterError(f"shelf: keep_best={keep_best}, every={every}: expected 0 or more")
        self.folder = Path(folder)
        self._keep_last = keep_last
        self._keep_best = keep_best
        self._every = every
        self._monitor = monitor
        self._mode = mode

    def save(self, name: str, snapshot: Snapshot, values: Mapping[str, Any] | None = None) -> Path:
        """Save a snapshot, and delete those that are not kept any more.

        Args:
            name: what :func:`name_of` says.
            snapshot: what to save.
            values: what was measured, kept as ``about["values"]``: numbers, or dicts of these for each phase.

        Returns:
            The snapshot's folder.

        Raises:
            SnapshotError: as for :func:`~leaven_plugins.snapshots.files.save_snapshot`; the others are all there still.
            ParameterError: the name is no name of a snapshot; or its phase has values, but not that to ``monitor`` (the
                snapshot is there, and nothing is deleted).
        """
        if not _NAME.fullmatch(name):
            raise ParameterError(f"shelf: {name!r}: snapshots are called {name_of(3)} or {name_of(3, 120, False)}")
        about = {**snapshot.about, "best_by": {"monitor": self._monitor, "mode": self._mode}}
        if values is not None:
            about["values"] = values
        path = save_snapshot(self.folder / name, Snapshot(snapshot.parts, about))
        if self._keep_best:
            self._check_monitor(_flat(about.get("values")))
        if self._keep_last is not None:
            self._prune(path, self._keep_last)
        return path

    def all(self) -> list[Path]:
        """Return all snapshots by their names, the oldest first; torn ones are among them."""
        named = {path: key for path in self.folder.glob("epoch_*") if (key := _position(path.name))}
        return sorted(named, key=named.__getitem__)

    def abouts(self, tell: Tell = ignore) -> dict[Path, dict[str, Any]]:
        """Return what each snapshot is of, as far as it seems to be whole, the oldest first."""
        found = {}
        for path in self.all():
            try:
                found[path] = read_about(path)
            except SnapshotError as error:
                tell(f"passed over: {error}")
        return found

    def last(self, tell: Tell = ignore) -> Path:
        """Return the newest snapshot that is whole; ``tell`` gets a line on each newer one.

        Raises:
            SnapshotError: there is none; the text says what is wrong with those that are there.
        """
        return self._first_whole(reversed(self.all()), "complete snapshot (a folder like epoch_0001)", tell)

    def best(self, tell: Tell = ignore) -> Path:
        """Return the snapshot with the best value that is whole, of equal ones the oldest.

        Raises:
            SnapshotError: there is none with that value; the text says which values there are.
        """
        abouts = self.abouts(tell)
        ranked = self._ranked(abouts)
        if abouts and not ranked:
            known = {name for about in abouts.values() for name in _flat(about.get("values"))}
            near = suggestion(self._monitor, known)
            raise SnapshotError(
                f"{self.folder}: no snapshot has a value {self._monitor!r}{near}; have: {listing(known)}"
            )
        return self._first_whole(iter(ranked), f"complete snapshot with a value {self._monitor!r}", tell)

    def _check_monitor(self, values: Mapping[str, float]) -> None:
        """Raise an error where there are values of the monitored phase, but not the one; it may not be its turn yet."""
        phase = self._monitor.partition("_")[0]
        if self._monitor not in values and any(name.startswith(f"{phase}_") for name in values):
            near = suggestion(self._monitor, values)
            raise ParameterError(f"shelf: monitor={self._monitor!r}{near}; the values are: {listing(values)}")

    def _prune(self, saved: Path, keep_last: int) -> None:
        abouts = self.abouts()
        kept = {saved, *list(abouts)[-keep_last:], *self._ranked(abouts)[: self._keep_best]}
        for path in abouts:
            if path not in kept and not self._is_milestone(path):
                remove_snapshot(path)

    def _is_milestone(self, path: Path) -> bool:
        match = _NAME.fullmatch(path.name)
        return bool(self._every and match and not match[2] and int(match[1]) % self._every == 0)

    def _ranked(self, abouts: Mapping[Path, Mapping[str, Any]]) -> list[Path]:
        """Return the snapshots that have the value, the best first."""
        values = {path: _flat(about.get("values")).get(self._monitor) for path, about in abouts.items()}
        sign = _MODES[self._mode]
        scores = {path: sign * value for path, value in values.items() if value is not None and math.isfinite(value)}
        return sorted(scores, key=scores.__getitem__)

    def _first_whole(self, paths: Iterator[Path], wanted: str, tell: Tell) -> Path:
        problems = []
        for path in paths:
            try:
                verify_snapshot(path)
            except SnapshotError as error:
                problems.append(str(error))
                tell(f"passed over: {error}")
            else:
                return path
        raise SnapshotError("; ".join([f"{self.folder}: no {wanted}", *problems]))


def find_snapshot(
    wanted: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None, tell: Tell = ignore
) -> Path:
    """Return the folder of a snapshot.

    Args:
        wanted: ``"last"`` or ``"best"`` of those in ``folder``, or a path: of a snapshot, or of a folder of snapshots
            or of a run, of which the last one is taken.
        folder: a folder of snapshots or of a run.
        tell: gets a line on each snapshot that is passed over because it is torn.

    Raises:
        SnapshotError: there is none.
    """
    if wanted in ("last", "best"):
        if folder is None:
            raise SnapshotError(f"the {wanted} snapshot of what? give the folder of a run")
        shelf = shelf_at(Path(folder))
        return shelf.last(tell) if wanted == "last" else shelf.best(tell)
    path = Path(wanted)
    if (path / MANIFEST).is_file():
        return path
    return shelf_at(path).last(tell)


def shelf_at(path: Path) -> Shelf:
    """Return the shelf of a run's folder, or of a folder of snapshots; what is best is what the newest one says.

    Raises:
        SnapshotError: there is no such folder.
    """
    folder = path / "snapshots" if (path / "snapshots").is_dir() else path
    if not folder.is_dir():
        raise SnapshotError(f"{path}: there is no such folder")
    shelf = Shelf(folder)
    newest_first = reversed(shelf.abouts().values())
    by = next((about["best_by"] for about in newest_first if "best_by" in about), None)
    return Shelf(folder, monitor=by["monitor"], mode=by["mode"]) if by else shelf


def _position(name: str) -> tuple[int, float, bool] | None:
    """Return what snapshots are ordered by. What gives way to a new one, and was left, comes before that."""
    match = _NAME.fullmatch(name)
    return match and (int(match[1]), int(match[2]) if match[2] else math.inf, not match[3])


def _flat(values: Any) -> dict[str, float]:
    """Return the numbers among values by names such as ``val_loss``."""
    found: dict[str, float] = {}
    for name, value in (values if isinstance(values, Mapping) else {}).items():
        if isinstance(value, Mapping):
            found |= {f"{name}_{key}": number for key, number in _flat(value).items()}
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = float(value)
    return found
