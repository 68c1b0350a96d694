"""Plugin: what is known of one plugin, whether it is on, blocked or broken."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Plugin(NamedTuple):
    """One plugin.

    Attributes:
        name: its name: that of its entry point, the stem of its file, or its import name.
        module: the module that is its door.
        distribution: what was installed to get it; ``""`` for a file or a module that was named.
        version: the distribution's version, or ``""``.
        licence: the distribution's licence as it states it, or ``""``.
        file: path of a single-file plugin, or ``""``.
        requested: it was named by ``-p``, an argument or a configuration, and did not just happen to be installed.
        state: ``on``, ``blocked`` (it was not imported) or ``broken`` (it offers nothing).
        blocked_by: what blocked it, such as ``-p no:blur``.
        cause: why it is broken.
        import_ms: how long its door took to import, in milliseconds.
    """

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    licence: str = ""
    file: str = ""
    requested: bool = False
    state: Literal["on", "blocked", "broken"] = "on"
    blocked_by: str = ""
    cause: BaseException | None = None
    import_ms: float = 0.0

    @property
    def title(self) -> str:
        """Name and where it comes from: ``plugin 'rain' (acme 1.0)``."""
        origin = f"{self.distribution} {self.version}".strip() or self.file or f"module {self.module}"
        return f"plugin {self.name!r} ({origin})"

    @property
    def reason(self) -> str:
        """Why it is off: ``blocked by -p no:rain`` or ``broken: ImportError: ...``; ``""`` where it is on."""
        if self.state == "blocked":
            return f"blocked by {self.blocked_by}"
        return f"broken: {cause_line(self.cause)}" if self.state == "broken" else ""


def cause_line(cause: BaseException | None) -> str:
    """Return an exception as one line, ``Type: first line of its text``."""
    lines = str(cause).splitlines()
    return f"{type(cause).__name__}: {lines[0]}" if lines else type(cause).__name__
