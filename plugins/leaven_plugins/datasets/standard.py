"""StandardDataset: what the well-known sets have in common."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, SampleError, suggestion
from leaven.places import data_dir as place_of_data
from leaven_plugins.datasets.standard_store import Declaration, Store
from leaven_plugins.datasets.standard_views import FloatView
from leaven_plugins.fetching.transfer import Progress

Rows = range | NDArray[np.intp]
"""Which pictures of a part are in a split."""


class StandardDataset:
    """One split of a set that is read from its original files.

    Besides it has all arrays of the set, whatever the split: ``train_X``, ``val_X`` and ``test_X`` are pictures
    ``(n, channels, height, width)`` as float32 from ``val_lower`` to ``val_upper``, made where they are indexed;
    ``train_X_u8`` and so on are the same as uint8, 0 to 255; ``train_y``, ``val_y`` and ``test_y`` are labels, ``(n,)``
    int32. They are mapped from the disk and cannot be written to.

    A set of one's own is a subclass with a ``declaration``.

    Args:
        split: ``train``, ``val`` or ``test``; some sets have others.
        n_val: how many samples are in ``val``: the last ones of those for training, which ``train`` has not.
        val_lower: what a pixel of 0 is in ``train_X``, ``val_X`` and ``test_X``.
        val_upper: what a pixel of 255 is.
        data_dir: the folder of all data; the set's is below it. By default ``leaven.places.data_dir()``.
        from_dir: a folder that has the original files already. They are read there, and stay.
        download: whether original files that are not there are downloaded at the first access.

    Raises:
        ParameterError: no such split, or a number is out of range.
    """

    declaration: ClassVar[Declaration]
    names: ClassVar[Sequence[str]] = ()
    parts: ClassVar[Mapping[str, str]] = {"train": "train", "val": "train", "test": "test"}

    def __init__(
        self,
        split: str = "train",
        n_val: int | None = 10_000,
        val_lower: float = 0.0,
        val_upper: float = 1.0,
        data_dir: str | Path | None = None,
        from_dir: str | Path | None = None,
        download: bool = False,
    ) -> None:
        name = self.declaration.name
        if not isinstance(split, str) or split not in self.parts:
            known = ", ".join(self.parts)
            raise ParameterError(f"{name}: no split {split!r}{suggestion(str(split), self.parts)}; splits: {known}")
        if not (math.isfinite(val_lower) and math.isfinite(val_upper) and val_lower != val_upper):
            raise ParameterError(f"{name}: val_lower={val_lower} and val_upper={val_upper} are not the ends of a range")
        self.split = split
        self.n_val = operator.index(n_val or 0)
        self.val_lower = val_lower
        self.val_upper = val_upper
        self.data_dir = data_dir
        self.from_dir = from_dir
        self.download = download
        self._opened: dict[str, Any] = {}
        for folder in (data_dir, from_dir):
            if folder is not None and not isinstance(folder, (str, Path)):
                raise ParameterError(f"{name}: {folder!r}: expected the path of a folder")
        if self.n_val < 0:
            raise ParameterError(f"{name}: n_val={n_val}: must not be negative")

    def __len__(self) -> int:
        """Return the number of samples in the split."""
        return len(self._rows())

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key``, ``image`` (height, width, channels) uint8, and ``label`` where there are labels.

        Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: the files are not there or cannot be read; :meth:`Store.arrays` has the details.
        """
        sample = {"key": self.key(index), "image": self.getitem_image(index)}
        return {**sample, "label": self.getitem_label(index)} if self._array_name("y") in self._known() else sample

    def key(self, index: int) -> str:
        """Return the name of a sample, such as ``train-00000``; raises as :meth:`sample` does.

        The number is that of the picture in the original; where folds are chosen, it is the position in the split.
        """
        position, rows = self._position(index), self._rows()
        if isinstance(rows, range):
            return f"{self.parts[self.split]}-{rows[position]:05d}"
        return f"{self.split}-{position:05d}"

    def getitem_image(self, index: int, ctx: dict[str, Any] | None = None) -> NDArray[np.uint8]:
        """Return the picture of a sample, (height, width, channels)."""
        image = self._array(self._array_name("X_u8"))[self._row(index)]
        return np.ascontiguousarray(image.transpose(1, 2, 0))

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        """Return the label of a sample.

        Raises:
            SampleError: the split has no labels.
        """
        return self._label("y", index)

    def getall_label(self) -> NDArray[np.int64]:
        """Return all labels of the split, ``(n,)``; raises a ParameterError where it has none."""
        return self._labels("y")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; a name's position is its label."""
        return tuple(map(str, self.names or self._array("class_names")))

    def fetch(self, progress: Progress | None = None) -> None:
        """Download what is missing, verify the original files, and make the arrays of them.

        Args:
            progress: is told how far downloads have come.

        Raises:
            DatasetError: a file cannot be had, or is not the right one.
        """
        for store in self.stores():
            store.fetch(progress)

    def stores(self) -> list[Store]:
        """Return where the set is kept, one for each declaration."""
        folder = place_of_data(self.data_dir)
        where = place_of_data(self.from_dir) if self.from_dir else None
        return [Store(declaration, folder / declaration.name, where) for declaration in self._declarations()]

    def close(self) -> None:
        """Give back the maps of files; the next access opens them again."""
        self._opened = {}

    def __getattr__(self, name: str) -> Any:
        """Return an array by its name, such as ``train_X``."""
        if name.startswith("_") or name not in self._names_of_views():
            hint = suggestion(name, () if name.startswith("_") else self._names_of_views())
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")
        return self._view(name)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": {}}

    # ---- what sets may have of their own

    def _declarations(self) -> Sequence[Declaration]:
        return (self.declaration,)

    def _divided(self) -> tuple[Rows, Rows]:
        """Return which pictures of those for training are in ``train``, and which in ``val``."""
        count = len(self._array("train_X_u8"))
        if self.n_val and self.n_val >= count:
            raise ParameterError(
                f"{self.declaration.name}: n_val={self.n_val} leaves nothing of {count} samples to train on"
            )
        return range(count - self.n_val), range(count - self.n_val, count)

    def _label(self, kind: str, index: int) -> int:
        name = self._array_name(kind)
        if name not in self._known():
            raise SampleError(
                f"the split {self.split!r} has no labels", index=index, key=self.key(index), stage="label"
            )
        return int(self._array(name)[self._row(index)])

    def _labels(self, kind: str) -> NDArray[np.int64]:
        name = self._array_name(kind)
        if name not in self._known():
            raise ParameterError(f"{self.declaration.name}: the split {self.split!r} has no labels")
        return _taken(self._array(name), self._rows()).astype(np.int64)

    # ---- arrays

    def _known(self) -> dict[str, int]:
        """Return the names of all arrays that are kept, with the number of the store."""
        return {name: n for n, part in enumerate(self._declarations()) for name in part.arrays}

    def _names_of_views(self) -> set[str]:
        return set(_view_names(self._known()))

    def _view(self, name: str) -> Any:
        if name.endswith("_X"):
            exact = self._stored(name) in self._known()
            return FloatView(self._view(f"{name}_u8") if not exact else self._cut(name), self.val_lower, self.val_upper)
        return self._cut(name)

    def _cut(self, name: str) -> NDArray[Any]:
        array = self._array(self._stored(name))
        split = name.partition("_")[0]
        return _taken(array, self._rows(split)) if split in ("train", "val") else array

    def _stored(self, name: str) -> str:
        return f"train_{name.removeprefix('val_')}" if name.startswith("val_") else name

    def _array_name(self, kind: str) -> str:
        return f"{self.parts[self.split]}_{kind}"

    def _array(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] | None = self._opened.get(name)
        if array is None:
            arrays = self.stores()[self._known()[name]].arrays(self.download)
            self._opened = {**self._opened, **arrays}
            array = arrays[name]
        return array

    def _rows(self, split: str = "") -> Rows:
        split = split or self.split
        if split not in ("train", "val"):
            return range(len(self._array(f"{self.parts[split]}_X_u8")))
        divided = self._opened.get("divided")
        if divided is None:
            divided = self._divided()
            self._opened = {**self._opened, "divided": divided}
        rows: Rows = divided[split == "val"]
        return rows

    def _row(self, index: int) -> int:
        return int(self._rows()[self._position(index)])

    def _position(self, index: int) -> int:
        position, count = operator.index(index), len(self)
        if not -count <= position < count:
            name = self.declaration.name
            raise IndexError(f"{name}: no sample {position} in {self.split!r}, there are {count}")
        return position % count


def _view_names(stored: Mapping[str, int]) -> Iterator[str]:
    for name in stored:
        for known in (name, name.removesuffix("_u8") if name.endswith("_X_u8") else name):
            yield known
            if known.startswith("train_"):
                yield f"val_{known.removeprefix('train_')}"


def _taken(array: NDArray[Any], rows: Rows) -> NDArray[Any]:
    taken: NDArray[Any] = array[rows.start : rows.stop] if isinstance(rows, range) else array[rows]
    return taken
