"""Component: the declaration that a plugin yields for each thing that it offers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from leaven.errors import DeclarationError

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True)
class Component:
    """One thing that a plugin offers.

    Args:
        name: lower-case letters, digits and ``_``; families with ``.``.
        target: import string ``"package.module:Class"`` of a class or factory; an object is accepted in code and tests.
        summary: one line for listings.
        replaces: name of the plugin whose component of the same kind and name steps back for this one.
        extra: what to install where the target's import fails for want of a package, such as ``"leaven[torch]"``.
        prefers: in the place of a target, names of components of the same kind: this name means the first of them that
            can be found.

    Raises:
        DeclarationError: a name or target is malformed.
    """

    name: str
    target: Any = None
    summary: str = ""
    replaces: str | None = None
    extra: str | None = None
    prefers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise DeclarationError(
                f"component name {self.name!r}: use lower-case letters, digits and _, families with '.'"
            )
        if self.prefers:
            self._check_preferred()
            return
        if isinstance(self.target, str) and not _TARGET.fullmatch(self.target):
            raise DeclarationError(
                f"component {self.name!r}: target {self.target!r} is not of the form 'package.module:Name'"
            )
        if not isinstance(self.target, str) and not callable(self.target):
            raise DeclarationError(
                f"component {self.name!r}: target {self.target!r} is neither an import string nor callable, "
                "and there is nothing that it prefers"
            )

    def _check_preferred(self) -> None:
        if self.target is not None:
            raise DeclarationError(f"component {self.name!r}: it has either a target or others that it prefers")
        names = self.prefers if isinstance(self.prefers, tuple) else ()
        if not names or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
            raise DeclarationError(f"component {self.name!r}: prefers={self.prefers!r} is not a tuple of names")
