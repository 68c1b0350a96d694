"""Whatever is fetched, made or copied may be killed at any moment: nothing half lies there, the next run goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killing.py")


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 9])
@pytest.mark.parametrize("scenario", ["fetch", "refresh", "set", "copy"])
def test_killed_at_each_moment(tmp_path, scenario, step):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(PROGRAM), scenario, str(tmp_path / "x"), str(step)]
    (tmp_path / "x").mkdir()
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) * step > 15
