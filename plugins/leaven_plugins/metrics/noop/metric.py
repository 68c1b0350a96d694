"""Noop: a metric that measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven.errors import ParameterError
from leaven.protocols import Metric


class Noop:
    """No values, where a metric has to be named but nothing is to be measured."""

    def update(self, sample: Mapping[str, Any]) -> None:
        """Do nothing."""

    def compute(self) -> dict[str, float]:
        """Return nothing."""
        return {}

    def reset(self) -> None:
        """Do nothing."""

    def merge(self, other: Metric) -> None:
        """Do nothing.

        Raises:
            ParameterError: the other one measures something.
        """
        if not isinstance(other, Noop):
            raise ParameterError(f"noop: cannot be merged with {other!r}")

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""
