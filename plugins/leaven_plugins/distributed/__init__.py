"""Distributed: several processes that train together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaven_plugins.distributed.scripts import init as init
    from leaven_plugins.distributed.scripts import reduce as reduce
    from leaven_plugins.distributed.scripts import sync as sync


def __getattr__(name: str) -> Any:
    if name in ("init", "reduce", "sync"):
        from leaven_plugins.distributed import scripts

        return getattr(scripts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
