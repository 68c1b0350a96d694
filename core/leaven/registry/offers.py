"""Offer: one component together with the plugin that offers it; importing what it stands for."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from leaven.errors import BrokenPluginError, LeavenError, MissingPackageError
from leaven.registry.components import Component
from leaven.registry.imports import import_target
from leaven.registry.plugins import Plugin, cause_line


class Offer(NamedTuple):
    """One component that a plugin offers.

    Attributes:
        kind: name of its kind.
        component: the declaration.
        plugin: who declared it.
        replaced_by: name of the plugin whose component of the same kind and name replaces it, or ``""``.
        blocked_by: what blocked this single component, or ``""``.
    """

    kind: str
    component: Component
    plugin: Plugin
    replaced_by: str = ""
    blocked_by: str = ""

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    @property
    def spec(self) -> str:
        """``kind:name``."""
        return f"{self.kind}:{self.name}"

    @property
    def qualified(self) -> str:
        """``kind:plugin/name``, which leads here even where other plugins offer the same name."""
        return f"{self.kind}:{self.plugin.name}/{self.name}"

    def load(self) -> Any:
        """Import and return the component's class, factory or command.

        Raises:
            MissingPackageError: it needs a package that is not installed; the text says what to install.
            BrokenPluginError: its module cannot be imported, or does not have it.
        """
        if not isinstance(self.component.target, str):
            return self.component.target
        try:
            return import_target(self.component.target)
        except (KeyboardInterrupt, LeavenError):
            raise
        except BaseException as error:
            raise self.import_failure(error) from error

    def import_failure(self, error: BaseException) -> LeavenError:
        """Return what to tell people when importing the component, or something within it, raised ``error``."""
        package = self._missing_package(error)
        if package:
            advice = f"pip install {self.component.extra!r}" if self.component.extra else f"install {package}"
            return MissingPackageError(f"the component {self.spec} needs {package}: {advice}", name=package)
        return BrokenPluginError(
            f"the component {self.spec} of {self.plugin.title} cannot be imported: {cause_line(error)}"
        )

    def _missing_package(self, error: BaseException) -> str:
        """Return the package whose absence is the cause; a missing module of an installed one is the plugin's fault."""
        if not isinstance(error, ModuleNotFoundError) or not error.name:
            return ""
        package = error.name.partition(".")[0]
        own = package == self.plugin.module.partition(".")[0]
        return "" if own or sys.modules.get(package) is not None else package
