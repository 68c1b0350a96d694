"""The errors that leaven raises: one root, lower-case texts that say what was asked, what exists and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


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
        cause = f"{self.cause_type}: " if self.cause_type else ""
        return f"{name}: {self.stage} failed: {cause}{printable(self.message)}"


class DecodeError(LeavenError, ValueError):
    """Bytes are not an image that the decoder can read, or one that is over the limits."""


class WorkerError(LeavenError):
    """A worker could not be started, died, or broke the protocol; the text names the worker and its exit status."""


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


def printable(text: str, limit: int = 500) -> str:
    """Return ``text`` with control characters escaped, cut to ``limit``: keys and messages come from foreign data."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return clean if len(clean) <= limit else clean[:limit] + "..."
