"""The examples run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leaven.registry.registry import Registry
from leaven_plugins.commands.train.experiment import Experiment

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
@pytest.mark.slow
def test_scripts_run(script, tmp_path):
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("config", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_configurations_give_batches(config):
    with Experiment(config, Registry(), training=False).train_loader(nworkers=0, feed="numpy") as loader:
        _, (sample, *_) = next(iter(loader))
    (target,) = {"label", "target_image"} & set(sample)
    assert len(sample["image"]) == len(sample[target]) == loader.batch_size
