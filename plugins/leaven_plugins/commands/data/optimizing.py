"""``leaven data optimize`` for packed datasets: their JPEGs are repacked, and everything else stays as it is.

Samples go into a journal first, ``NAME.msgpack.optimizing`` beside the target, in their order. Once all are there, they
are written as a dataset, which takes the target's name in the end, and the journal is deleted. A process that is killed
leaves the journal, and the next one goes on behind its last whole record. For a while this takes room for the dataset
twice more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.errors import DatasetError
from leaven.stream.wire import pack_sample
from leaven_plugins.commands.data.journal import Journal
from leaven_plugins.commands.data.parallel import ordered
from leaven_plugins.commands.data.report import size_text
from leaven_plugins.datasets.reading import read_sample
from leaven_plugins.datasets.replacing import is_unchanged
from leaven_plugins.repacking.repacker import Repacker
from leaven_plugins.repacking.samples import repacked_image, with_image
from leaven_plugins.repacking.tally import Tally

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset

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
    source: MsgpackDataset,
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
        DatasetError: a file cannot be read or written, another process is at work on it, or ``data`` has changed
            meanwhile.
        SampleError: a sample cannot be read.
    """
    status = source.status()
    about = {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "count": len(source), **settings}

    def check() -> None:
        if not is_unchanged(data, status):
            raise DatasetError(f"{data}: has changed while this was at work, and is left as it is now")
        if target != data and target.exists():
            raise DatasetError(f"{target}: exists by now; name another file")

    journal = Journal(journal_of(target), about)
    with _journal_told(target), closing(journal):
        for _ in range(journal.count):
            advance()
        rest = range(journal.count, len(source))
        for record in ordered(lambda index: _optimized(source, index, repacker), rest, jobs):
            journal.append(record)
            advance()
        return _finish(journal, target, write, check, always=target != data)


def finish_packed(target: Path, write: Write) -> Tally | None:
    """Write a dataset whose samples are all in the journal; ``None`` where they are not.

    This is what is to be done where the dataset has replaced itself halfway: its file is gone, the new one not there.
    """

    def check() -> None:
        if target.exists():
            raise DatasetError(f"{target}: is there again, and is left as it is now")

    if not journal_of(target).exists():
        return None
    journal = Journal(journal_of(target), None)
    with _journal_told(target), closing(journal):
        return _finish(journal, target, write, check) if journal.count == journal.about.get("count") else None


def _optimized(source: Dataset, index: int, repacker: Repacker) -> _Done:
    fields, _, _ = read_sample(source, index)
    repacked = repacked_image(fields, repacker)
    if repacked is None:
        return _Done(None, 0, 0, _message(source, index))
    sizes = len(fields["image"]), len(repacked.image)
    if not repacked.changed:
        return _Done(repacked.outcome, *sizes, _message(source, index))
    return _Done(repacked.outcome, *sizes, pack_sample(with_image(fields, repacked)))


def _message(source: Dataset, index: int) -> bytes:
    """Return a sample as it is stored: what nothing is done to is not packed anew."""
    sample = source.sample(index)
    return sample if isinstance(sample, bytes) else pack_sample(sample)


def _finish(journal: Journal, target: Path, write: Write, check: Callable[[], None], always: bool = True) -> Tally:
    """Write the samples, and return what became of them; ``check`` raises where the target is not to be replaced."""
    tally = Tally()
    for outcome, before, after, _ in journal.records():
        if outcome is not None:
            tally.add(outcome, before, after)
    if always or tally.changed:
        journal.sync()
        check()
        write(target, _messages(journal, check), overwrite=True)
    journal.remove()
    return tally


def _messages(journal: Journal, check: Callable[[], None]) -> Iterator[bytes]:
    for record in journal.records():
        yield _Done(*record).message
    check()  # writing takes its time as well, and is about to replace the target


@contextmanager
def _journal_told(target: Path) -> Iterator[None]:
    """Context whose errors say that there is a journal, which may be what fills the disk."""
    journal = journal_of(target)
    try:
        yield
    except DatasetError as error:
        if not journal.exists():
            raise
        text = f"{journal} ({size_text(journal.stat().st_size)}) stays for the same command; delete it otherwise"
        raise DatasetError(f"{error}; {text}") from error
