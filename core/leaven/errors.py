"""The errors that leaven raises: one root, lower-case texts that say what was asked, what exists and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class LeavenError(Exception):
    """The root of all errors of leaven and of its plugins.

    ``exit_code`` is what the command line exits with: 2 for a mistake in what was asked for
    (a name, an option, a configuration), 1 for everything that went wrong while doing it.
    """

    exit_code = 1


class LookupFailed(LeavenError, LookupError):
    """A component, plugin or kind was asked for by a name that does not lead to exactly one of them."""

    exit_code = 2


class UnknownName(LookupFailed):
    """No component, plugin or kind of this name exists."""


class NameClash(LookupFailed):
    """Several plugins offer the same name, and none of them declares that it replaces the other."""


class BlockedError(LookupFailed):
    """What was asked for exists, but was blocked; the text says by what."""


class BrokenPluginError(LookupFailed):
    """What was asked for belongs to a plugin that could not be loaded; ``__cause__`` is why."""


class MissingPackageError(LeavenError, ImportError):
    """A component needs a package that is not installed; the text says what to install."""

    exit_code = 2


class DeclarationError(LeavenError):
    """A plugin's declaration breaks a rule: a bad name, an unknown hook, a target that is not an import string."""


class ParameterError(LeavenError, TypeError):
    """A component was given a parameter that it does not take, or not given one that it needs."""

    exit_code = 2


class ConfigError(LeavenError, ValueError):
    """A configuration is wrong. ``problems`` lists every mistake found, each with the path of its table or key."""

    exit_code = 2

    def __init__(self, problems: str | Sequence[str], source: str = "") -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        self.source = source
        super().__init__(self._text())

    def _text(self) -> str:
        where = f"{self.source}: " if self.source else ""
        if len(self.problems) == 1:
            return f"{where}{self.problems[0]}"
        return f"{where}{len(self.problems)} problems\n" + "\n".join(f"  {problem}" for problem in self.problems)


class RecipeError(LeavenError):
    """A component cannot be handed to another process; the text names the parameter and the ways out."""

    exit_code = 2


class DatasetError(LeavenError):
    """A dataset cannot be opened, read or written; the text names the file and, where known, the offset."""


class FormatError(DatasetError, ValueError):
    """Bytes are not what their format promises: cut off, over a limit, or of a forbidden type."""


class SampleError(LeavenError):
    """One sample could not be turned into a row of a batch.

    Attributes:
        index: position of the sample in the dataset, or ``None`` where it is not known.
        key: the sample's key, or ``""``.
        stage: what was being done: ``read``, ``unpack``, ``decode``, ``label``, ``prepare``, ...
        cause_type: name of the original exception's type.
        remote_traceback: the traceback as text, where the error happened in another process.
    """

    def __init__(
        self,
        message: str,
        *,
        index: int | None = None,
        key: str = "",
        stage: str = "prepare",
        cause_type: str = "",
        remote_traceback: str = "",
    ) -> None:
        self.message = message
        self.index = index
        self.key = key
        self.stage = stage
        self.cause_type = cause_type
        self.remote_traceback = remote_traceback
        super().__init__(self._text())

    def _text(self) -> str:
        name = "sample" if self.index is None else f"sample {self.index}"
        if self.key:
            name += f" ({printable(self.key)})"
        cause = f"{printable(self.cause_type, 80)}: " if self.cause_type else ""
        return f"{name}: {printable(self.stage, 80)} failed: {cause}{printable(self.message)}"


class PoisonError(SampleError):
    """A sample that killed one worker after the other, and is not tried again.

    Attributes:
        kills: how many workers died while they were on it.
        status: how the last of them ended, such as ``SIGSEGV``; also as ``cause_type``.
        words: the end of what that one wrote, with its stack; also as ``remote_traceback``.
    """

    def __init__(
        self, kills: int, status: str, words: str = "", *, index: int | None = None, key: str = "", stage: str = "work"
    ) -> None:
        self.kills = kills
        self.status = status
        self.words = words
        super().__init__(
            f"it has killed {kills} worker{'s' if kills != 1 else ''}",
            index=index,
            key=key,
            stage=stage,
            cause_type=status,
            remote_traceback=words,
        )


class SampleErrors(ExceptionGroup[SampleError], LeavenError):
    """Several samples of one batch that could not be turned into rows; ``except* SampleError`` gets at each.

    Args:
        errors: one or more; the first 8 are kept.
        count: how many samples failed, where ``errors`` are not all of them.
    """

    MOST = 8
    """How many errors are kept."""

    count: int

    def __new__(cls, errors: Sequence[SampleError], count: int | None = None) -> SampleErrors:  # noqa: D102
        total = max(count or 0, len(errors))
        kept = list(errors[: cls.MOST])
        self = super().__new__(cls, _lines_of(kept, total), kept)
        self.count = total
        return self

    def __init__(self, errors: Sequence[SampleError], count: int | None = None) -> None:
        BaseException.__init__(self, self.exceptions, self.count)  # what a copy is made of

    def __str__(self) -> str:
        return self.message

    def derive(self, excs: Sequence[SampleError]) -> SampleErrors:  # type: ignore[override]  # noqa: D102
        return SampleErrors(excs)


class TooManyErrors(LeavenError):
    """More samples of an epoch failed than are allowed to.

    Attributes:
        count: how many failed.
        total: of how many.
        allowed: how many may.
        samples: the first 20 errors.
        causes: how often each cause occurred.
    """

    def __init__(
        self, count: int, total: int | None, allowed: int, samples: Sequence[SampleError], causes: Mapping[str, int]
    ) -> None:
        self.count = count
        self.total = total
        self.allowed = allowed
        self.samples = tuple(samples[:20])
        self.causes = dict(causes)
        super().__init__(self._text())

    @property
    def share(self) -> float | None:
        """Which part of the samples failed; ``None`` where their number is not known."""
        return self.count / self.total if self.total else None

    def _text(self) -> str:
        of = f" of {self.total} ({self.share:.1%})" if self.share is not None else ""
        ordered = sorted(self.causes.items(), key=lambda cause: (-cause[1], cause[0]))
        causes = ", ".join(f"{printable(name, 80)} ({times})" for name, times in ordered[:8])
        first = _lines_of(self.samples, self.count).partition("\n")[2]
        return (
            f"{self.count} samples{of} failed in this epoch, {self.allowed} may (max_errors)\n"
            f"  causes: {causes}\n{first}"
        )


class StateError(LeavenError, ValueError):
    """A loader's state cannot be gone on from: it is malformed, of another version, or of another stream."""


class DecodeError(LeavenError, ValueError):
    """Bytes are not an image that the decoder can read, or one that is over the limits."""


class WorkerError(LeavenError):
    """A worker could not be started, died, or broke the protocol; the text names the worker and its exit status."""


class TaskError(LeavenError):
    """A function that a worker ran has failed in a way that is not an exception to be raised here.

    It killed its worker, its result is not what it promised, or its exception is of a type that this process does not
    know; ``__cause__`` has what is known of it.
    """


class TimedOut(LeavenError, TimeoutError):
    """Nothing came within the time that the caller allowed. It can be waited for again."""


class NoMoreTasks(LeavenError, LookupError):
    """A queue or stream of tasks was asked for a result, and has none any more."""


class TransportError(LeavenError):
    """Messages cannot be carried: an address that cannot be bound, a peer that does not answer, a closed transport."""


class ProtocolError(TransportError, ValueError):
    """A message is malformed or over its limits. It was dropped."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like ``name``, or ``""`` where none is near."""
    import difflib  # 3 ms, needed only when something is wrong

    lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``", did you mean 'x'?"`` for the nearest known name, or ``""``."""
    match = nearest(name, known)
    return f", did you mean {match!r}?" if match else ""


def listing(names: Iterable[str], limit: int = 12) -> str:
    """Return the sorted names as ``a, b, c``, cut after ``limit`` of them."""
    ordered = sorted(names)
    rest = len(ordered) - limit
    return (", ".join(ordered[:limit]) + (f" and {rest} more" if rest > 0 else "")) or "none"


def text_of(error: BaseException) -> str:
    """Return the text of an error, also of one whose text cannot be had."""
    try:
        return str(error)
    except Exception:
        return f"(a {type(error).__name__} without a text)"


def printable(text: str, limit: int = 500) -> str:
    """Return ``text`` with control characters escaped, cut to ``limit``: keys and messages come from foreign data."""
    clean = text if text.isprintable() else "".join(map(_escaped, text))
    return clean if len(clean) <= limit else clean[:limit] + "..."


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape", "backslashreplace").decode()


def _lines_of(errors: Sequence[SampleError], total: int) -> str:
    """Return a text of one line for each sample that failed."""
    rest = total - len(errors)
    lines = [f"{total} sample{'s' if total != 1 else ''} failed", *map(str, errors)]
    return "\n  ".join([*lines, f"and {rest} more"] if rest > 0 else lines)
