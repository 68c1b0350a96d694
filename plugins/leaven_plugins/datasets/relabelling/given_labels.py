"""GivenLabels: labels from elsewhere, such as those that a network gave."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.changed import Relabelled
from leaven.data.getters import class_names
from leaven.data.lazy import lazy
from leaven.data.view import title
from leaven.errors import ParameterError, listing
from leaven_plugins.datasets.bounds import check_whole, is_number
from leaven_plugins.datasets.relabelling.files import load_array
from leaven_plugins.datasets.relabelling.scores import Labels, best, drawn, probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class GivenLabels(Relabelled):
    """The samples of a dataset with labels that are given, or are made of scores that are given.

    Where there are scores, ``getitem_confidence`` and ``getall_confidence`` tell the probability of each label: a part
    ``confidence`` of each sample.

    Args:
        dataset: whose samples it shows.
        labels: an array, or the path of a file ``.npy``, or ``.pt`` or ``.pth`` with a tensor: a label for each sample,
            -1 for none; or scores ``(samples, classes)``, of which the highest gives the label.
        threshold: samples whose highest probability is not above this, 0 to 1, get -1.
        top: instead of the highest, one of the ``top`` highest classes is drawn for each sample, by their probability.
        temperature: scores are logits: the probabilities are their softmax, after they are divided by this; ``inf``
            makes all classes equal. Without it scores are probabilities already, or proportional to them.
        seed: of what is drawn; a whole number from 0 on.
        classes: the names of the classes, where they are not the dataset's.

    Raises:
        ParameterError: parameters do not go together; at the first access, that there are not as many labels as
            samples, or that they are no labels.
        DatasetError: at the first access: the file cannot be read.
        FormatError: at the first access: it is something else.
    """

    dataset: Dataset
    labels: str | Path | Sequence[Any] | NDArray[Any]
    threshold: float | None = None
    top: int | None = None
    temperature: float | None = None
    seed: int = 0
    classes: Sequence[str] | None = None

    def __post_init__(self) -> None:
        check_whole("given_labels", seed=self.seed)
        if isinstance(self.classes, str):
            raise ParameterError(f"given_labels: classes={self.classes!r}: expected a list of names")
        if self.threshold is not None and self.top is not None:
            raise ParameterError("given_labels: threshold and top: one of them, not both")
        if self.threshold is not None and not (is_number(self.threshold) and 0 <= self.threshold <= 1):
            raise ParameterError(f"given_labels: threshold={self.threshold!r}: expected a probability, 0 to 1")
        if self.top is not None:
            check_whole("given_labels", 1, top=self.top)
        finite = is_number(self.temperature)
        if self.temperature not in (None, inf) and not (finite and self.temperature > 0):
            raise ParameterError(f"given_labels: temperature={self.temperature!r}: expected a number above 0")

    def relabelled(self) -> NDArray[np.int64]:
        """Return the labels, ``(n,)``."""
        found = self._found.labels
        if self.classes is not None and found.max(initial=-1) >= len(self.classes):
            sample = int(found.argmax())
            raise ParameterError(
                f"given_labels: labels[{sample}] is {found[sample]}, but classes names {len(self.classes)}: "
                f"{listing(map(str, self.classes))}"
            )
        return found

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return class_names(self.dataset) if self.classes is None else tuple(map(str, self.classes))

    def __getattr__(self, name: str) -> Any:
        """Add ``confidence`` where there are scores."""
        if name in ("getitem_confidence", "getall_confidence") and (found := self._found.confidence) is not None:
            return (lambda: found) if name == "getall_confidence" else self._confidence
        return super().__getattr__(name)

    def _confidence(self, index: int, ctx: dict[str, Any] | None = None) -> float:
        assert self._found.confidence is not None
        return float(self._found.confidence[self.position(index)])

    @lazy
    def _found(self) -> Labels:
        given = self._given()
        if given.ndim == 1:
            return Labels(self._whole(given), None)
        chances = probabilities(given, self.temperature)
        if self.top is None:
            return best(chances, self.threshold)
        return drawn(chances, self.top, np.random.default_rng(self.seed))

    def _given(self) -> NDArray[Any]:
        given = load_array(Path(self.labels)) if isinstance(self.labels, (str, os.PathLike)) else _array(self.labels)
        if given.ndim not in (1, 2) or given.dtype.kind not in "iuf":
            raise ParameterError(f"given_labels: expected labels or scores, got {given.dtype} of shape {given.shape}")
        if len(given) != len(self.dataset):
            there = f"{title(self.dataset)} has {len(self.dataset)} samples"
            raise ParameterError(f"given_labels: {len(given)} labels, but {there}")
        return given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given

    def _whole(self, given: NDArray[Any]) -> NDArray[np.int64]:
        """Return labels that are given as such; files of tensors often have them as floats."""
        asked = [name for name in ("threshold", "top", "temperature") if getattr(self, name) is not None]
        if asked:
            raise ParameterError(f"given_labels: {asked[0]} needs scores (samples, classes), and these are labels")
        wrong = np.flatnonzero((given != np.round(given)) | (given < -1) | (given >= 2.0**63))
        if len(wrong):
            raise ParameterError(
                f"given_labels: labels[{wrong[0]}] is {given[wrong[0]]}: expected whole numbers from -1 to below 2**63"
            )
        return given.astype(np.int64)


def _array(labels: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    try:
        return np.asarray(labels)
    except ValueError as error:
        raise ParameterError(f"given_labels: labels: expected rows of one length: {error}") from error
