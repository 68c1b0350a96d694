"""Plugin: a log of JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.loggers.jsonl.logger import JSONLogger as JSONLogger


@hookimpl
def leaven_loggers() -> Iterable[Component]:
    """Declare ``logger:jsonl``."""
    yield Component(
        "jsonl", "leaven_plugins.loggers.jsonl.logger:JSONLogger", "one JSON object per line, with its time"
    )


def __getattr__(name: str) -> Any:
    if name == "JSONLogger":
        from leaven_plugins.loggers.jsonl.logger import JSONLogger

        return JSONLogger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
