from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leaven.data.jobs import run_job
from leaven.errors import ParameterError, RecipeError, TaskError
from leaven.testing.engine import Squares
from leaven_plugins.engines.local import LocalEngine


@dataclass(frozen=True)
class Deadly:
    """A job whose third block kills whoever does it."""

    blocks: int = 5

    def run(self, block: int, folder: Path) -> Mapping[str, Any]:
        if block == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return {}


@pytest.mark.slow
def test_a_block_that_kills_one_process_after_the_other_is_named(tmp_path):
    with pytest.raises(TaskError, match=r"block 2: .* has killed 3 workers, the last one was killed by signal 9"):
        list(LocalEngine(1).run(Deadly(), range(5), tmp_path))


def test_a_job_that_no_other_process_can_make_is_told(tmp_path):
    class Local(Deadly):
        pass

    with pytest.raises(RecipeError, match="Local"):
        list(LocalEngine(1).run(Local(), [0], tmp_path))


@pytest.mark.parametrize("workers", [0, -1, True, 1.5])
def test_workers_are_a_number(workers):
    with pytest.raises(ParameterError, match="expected a whole number, at least 1, or None"):
        LocalEngine(workers)


def test_engines_are_given_by_name_with_workers(tmp_path):
    assert dict(run_job(Squares(), [3], tmp_path, "local", 1)) == {3: {"square": 9, "samples": 1}}
