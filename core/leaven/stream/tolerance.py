"""Tolerance: how many samples may fail, and where it is written down which ones did."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any, NoReturn

from leaven.errors import (
    DatasetError,
    LeavenError,
    ParameterError,
    SampleError,
    SampleErrors,
    TooManyErrors,
    printable,
    suggestion,
)
from leaven.stream.quarantine import Listed, Quarantine

log = logging.getLogger("leaven.loader")

POLICIES = ("raise", "skip", "replace")
"""What becomes of a sample that fails: its error is raised, its row is left empty, or another sample is put there."""

_WARNINGS = 10  # of an epoch: what goes beyond is counted
_SAMPLES = 20  # that an error about too many of them names
_ENOUGH = 100  # samples, before a share of them means anything


class Tolerance:
    """Counts the samples that fail in each epoch, in the order in which batches are handed out.

    Args:
        on_error: one of :data:`POLICIES`.
        max_errors: how many samples of an epoch may fail: a number, or a share of them (more than 0, less than 1),
            rounded up. Where it is not known how many an epoch has, the share is of those so far, once these are 100.
        quarantine: path of a file that lists them, see :mod:`leaven.stream.quarantine`; ``None`` for no such file.
        dataset: what they are samples of; asked for its ``path``, and for the byte offsets of samples if it knows them.

    Raises:
        ParameterError: a value is none of these.
        DatasetError: the file cannot be written, or is another kind of file.
    """

    def __init__(
        self,
        on_error: str = "raise",
        max_errors: float = 0.1,
        quarantine: str | Path | None = None,
        dataset: Any = None,
    ) -> None:
        if on_error not in POLICIES:
            hint = suggestion(str(on_error), POLICIES) or f"; expected one of {', '.join(POLICIES)}"
            raise ParameterError(f"on_error={on_error!r}{hint}")
        self.on_error = on_error
        self._max_errors = _checked(max_errors)
        self._dataset = dataset
        self._quarantine = None if quarantine is None else Quarantine(quarantine)
        self.begin(None)

    def begin(self, samples: int | None) -> None:
        """An epoch of so many samples begins (``None``: unknown); nothing that failed before it counts any more."""
        self._samples = samples
        self._seen = 0
        self._known: set[tuple[int | None, int | str]] = set()
        self._first: list[SampleError] = []
        self._causes: Counter[str] = Counter()

    def passed(self, samples: int) -> None:
        """So many samples more have been handed out, or have failed; to be told before those that failed."""
        self._seen += samples

    def count(self, error: SampleError, epoch: int | None = None, replaced_by: int | None = None) -> None:
        """A sample has failed in pass ``epoch`` over the dataset; sample ``replaced_by`` was put in its place, if any.

        A sample that comes twice within a pass counts once.

        Raises:
            TooManyErrors: it is one too many.
        """
        identity = (epoch, error.key if error.index is None else error.index)
        if identity in self._known:
            return
        self._known.add(identity)
        self._causes[_cause(error)] += 1
        if len(self._first) < _SAMPLES:
            self._first.append(error)
        if self._failed <= _WARNINGS:
            place = "its row is left empty" if replaced_by is None else f"sample {replaced_by} takes its place"
            log.warning("%s; %s", error, place)
        self._list(error, epoch)
        allowed = self._allowed()
        if allowed is not None and self._failed > allowed:
            raise TooManyErrors(self._failed, self._samples or self._seen or None, allowed, self._first, self._causes)

    def refuse(self, error: LeavenError, epoch: int | None = None) -> NoReturn:
        """Raise an error that ends the run, after the samples that it is about have been listed."""
        for sample in _samples_of(error):
            self._list(sample, epoch)
        raise error

    def end(self) -> None:
        """The epoch is over: say how many samples failed, if any did."""
        if self._failed:
            of = self._samples or self._seen
            causes = ", ".join(f"{printable(cause, 80)} ({times})" for cause, times in self._causes.most_common(8))
            where = f"; listed in {self._quarantine.path}" if self._quarantine else ""
            count = f"{self._failed} of {of}" if of else f"{self._failed}"
            log.warning("%s samples of this epoch failed: %s%s", count, causes, where)
        self.begin(None)

    @property
    def _failed(self) -> int:
        return len(self._known)

    def _allowed(self) -> int | None:
        """Return how many may fail, or ``None`` while that cannot be said."""
        if isinstance(self._max_errors, int):
            return self._max_errors
        if self._samples is not None:
            return _share(self._max_errors, self._samples)
        return _share(self._max_errors, self._seen) if self._seen >= _ENOUGH else None

    def _list(self, error: SampleError, epoch: int | None) -> None:
        if self._quarantine is None:
            return
        try:
            self._quarantine.add(Listed.of(error, epoch, self._dataset))
        except DatasetError as failure:  # a disk that is full does not end a run: the samples are not the worse for it
            log.error("%s; no further samples are listed", failure)
            self._quarantine = None


def _checked(max_errors: float) -> float:
    whole = isinstance(max_errors, int) and not isinstance(max_errors, bool) and max_errors >= 0
    if whole or (isinstance(max_errors, float) and 0 < max_errors < 1):
        return max_errors
    raise ParameterError(
        f"max_errors={max_errors!r}: expected how many samples of an epoch may fail (0 or more), "
        "or which share of them (more than 0, less than 1)"
    )


def _share(share: float, samples: int) -> int:
    return ceil(share * samples - 1e-9)  # 0.07 * 100 is a little more than 7


def _cause(error: SampleError) -> str:
    return f"{error.stage}: {error.cause_type}" if error.cause_type else error.stage


def _samples_of(error: LeavenError) -> Sequence[SampleError]:
    if isinstance(error, SampleErrors):
        return [one for one in error.exceptions if isinstance(one, SampleError)]
    return [error] if isinstance(error, SampleError) else []
