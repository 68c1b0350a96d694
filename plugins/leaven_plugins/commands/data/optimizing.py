"""``leaven data optimize`` for packed datasets: their JPEGs are repacked, and everything else stays as it is.

Samples go into a journal first, ``NAME.msgpack.optimizing`` beside the target, in their order. Once all are there, they
are written as a dataset, which takes the target's name in the end, and the journal is deleted. A process that is killed
leaves the journal, and the next one goes on behind its last whole record. For a while this takes room for the dataset
twice more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.stream.wire import pack_sample
from leaven_plugins.commands.data.journal import Journal
from leaven_plugins.commands.data.packing import repacked_image, with_image
from leaven_plugins.commands.data.parallel import ordered
from leaven_plugins.commands.data.reading import read_sample
from leaven_plugins.commands.data.repacking import Repacker, Tally
from leaven_plugins.datasets.jpeg_index import FIELD

if TYPE_CHECKING:
    from leaven.protocols import Dataset

Write = Callable[..., int]


class _Done(NamedTuple):
    """A record of the journal: what became of the image (``None``: there is none), and the sample as a message."""

    outcome: str | None
    before: int
    after: int
    message: bytes


def journal_of(target: Path) -> Path:
    """Return where the journal lies while a packed dataset is written."""
    return target.with_name(f"{target.name}.optimizing")


def optimize_packed(
    data: Path,
    source: Dataset,
    target: Path,
    write: Write,
    repacker: Repacker,
    settings: Mapping[str, Any],
    jobs: int | None,
    advance: Callable[[], None],
) -> Tally:
    """Repack the images of a packed dataset, and return what became of them.

    A dataset that would replace itself is not written where nothing is to be done.

    Args:
        data: the file of the dataset.
        source: the dataset.
        target: the file to be written, which may be the same.
        write: writes a dataset, ``write(path, samples, overwrite=True)``.
        repacker: what is done to images.
        settings: what the result depends on: of a run with others nothing is taken over.
        jobs: number of threads; ``None``: one for each processor.
        advance: called after each sample.

    Raises:
        DatasetError: a file cannot be read or written, or another process is at work on it.
        SampleError: a sample cannot be read.
    """
    status = data.stat()
    about = {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "count": len(source), **settings}
    with closing(Journal(journal_of(target), about)) as journal:
        for _ in range(journal.count):
            advance()
        rest = range(journal.count, len(source))
        for record in ordered(lambda index: _optimized(source, index, repacker), rest, jobs):
            journal.append(record)
            advance()
        return _finish(journal, target, write, always=target != data)


def finish_packed(target: Path, write: Write) -> Tally | None:
    """Write a dataset whose samples are all in the journal; ``None`` where they are not.

    This is what is to be done where the dataset has replaced itself halfway: its file is gone, the new one not there.
    """
    if not journal_of(target).exists():
        return None
    with closing(Journal(journal_of(target), None)) as journal:
        return _finish(journal, target, write) if journal.count == journal.about.get("count") else None


def _optimized(source: Dataset, index: int, repacker: Repacker) -> _Done:
    fields, _, _ = read_sample(source, index)
    repacked = repacked_image(fields, repacker)
    if repacked is None:
        return _Done(None, 0, 0, _message(source, index))
    sizes = len(fields["image"]), len(repacked.image)
    if (repacked.image, repacked.image_index) == (fields["image"], fields.get(FIELD)):
        return _Done(repacked.outcome, *sizes, _message(source, index))
    return _Done(repacked.outcome, *sizes, pack_sample(with_image(fields, repacked)))


def _message(source: Dataset, index: int) -> bytes:
    """Return a sample as it is stored: what nothing is done to is not packed anew."""
    sample = source.sample(index)
    return sample if isinstance(sample, bytes) else pack_sample(sample)


def _finish(journal: Journal, target: Path, write: Write, always: bool = True) -> Tally:
    tally = Tally()
    for outcome, before, after, _ in journal.records():
        if outcome is not None:
            tally.add(outcome, before, after)
    if always or tally.changed:
        journal.sync()
        write(target, (_Done(*record).message for record in journal.records()), overwrite=True)
    journal.remove()
    return tally
