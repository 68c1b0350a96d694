"""MarkedClassificationWorker: the built-in worker with one more list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven import Row
from leaven_plugins.workers.classification import ClassificationWorker


class MarkedClassificationWorker(ClassificationWorker):
    """The built-in worker, with its parameters; batches have the list ``acme`` as well: ``True`` for each row."""

    def prepare(self, sample: Mapping[str, Any], row: Row, buffers: Mapping[str, Any]) -> None:
        """Fill one row."""
        super().prepare(sample, row, buffers)
        row.append("acme", True)
