"""Ops: what changes one image according to drawn values; and the geometry and reference code that they share.

``Compose`` runs them without any loader; ``Stream`` says how masks and other parallel streams are treated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaven_plugins.ops.compose import Compose as Compose
    from leaven_plugins.ops.streams import Stream as Stream


def __getattr__(name: str) -> Any:
    if name == "Compose":
        from leaven_plugins.ops.compose import Compose

        return Compose
    if name == "Stream":
        from leaven_plugins.ops.streams import Stream

        return Stream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
