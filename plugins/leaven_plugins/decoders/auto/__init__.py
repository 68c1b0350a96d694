"""Plugin: the best decoder that there is."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_decoders() -> Iterable[Component]:
    """Declare ``decoder:auto``."""
    yield Component(
        "auto",
        summary="turbo (pip install leaven-turbo), or opencv where it is not installed",
        prefers=("turbo", "opencv"),
    )
