"""Whether what ``leaven data index`` wrote is of use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def index_problem(params: Mapping[str, Any]) -> str | None:
    """Return why the index beside the file that ``params`` name is of no use, or ``None``."""
    from leaven_plugins.datasets.jpeg_index import sidecar_problem

    return sidecar_problem(Path(params["path"])) if "path" in params else None
