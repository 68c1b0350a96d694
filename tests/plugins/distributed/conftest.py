"""Two processes, started once for all tests that look at what they found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leaven_plugins.distributed.launch import launch

FOLDER = Path(__file__).parents[2] / "data" / "distributed_parts"


@pytest.fixture(scope="session")
def parts() -> Iterator[ModuleType]:
    sys.path.insert(0, str(FOLDER))
    import distributed_parts

    yield distributed_parts
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="session")
def two(parts: ModuleType) -> dict[str, Any]:
    """What two processes have found; see ``everything`` in tests/data/distributed_parts."""
    found: dict[str, Any] = launch(parts.everything, 2)
    return found
