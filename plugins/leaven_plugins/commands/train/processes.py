"""One run in several processes: who makes the folder, who speaks, and how they are started."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from leaven_plugins.commands.train.command import announced
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.folder import new_folder
from leaven_plugins.commands.train.options import RunOptions
from leaven_plugins.commands.train.outfit import device_of
from leaven_plugins.commands.train.result import Result
from leaven_plugins.commands.train.run import run_experiment
from leaven_plugins.distributed.ending import end_now
from leaven_plugins.distributed.launch import run_command, within_job
from leaven_plugins.distributed.world import joined


def train_in_processes(arguments: Sequence[str], nproc: int) -> None:
    """Run a command line of leaven in so many processes.

    Raises:
        DistributedError: one of them has failed.
    """
    run_command([sys.executable, "-m", "leaven", *arguments], nproc)


def run_together(experiment: Experiment, wanted: Path, screen: Console, options: RunOptions) -> Result:
    """Run an experiment in a new folder; in each of the processes that train together.

    Args:
        experiment: what to train.
        wanted: the folder, or the beginning of its name.
        screen: where rank 0 shows how it goes.
        options: what the command line changes; a dry run gets a folder that does not stay.

    Returns:
        The result, with this process' rank.
    """
    with joined(device_of(experiment).type) as world:
        first = world.rank == 0
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch) / "run" if options.dry_run else wanted
            made = str(announced(new_folder(place), place, screen)) if first else ""
            folder = Path(world.broadcast(made))
            with open(os.devnull, "w") as nowhere:
                shown = screen if first else Console(file=nowhere)
                result = run_experiment(experiment, folder, shown, options)
    return replace(result, rank=world.rank)


def ended_together(code: int) -> None:
    """End this process, if it is one of several that have trained together; otherwise return."""
    if within_job():
        end_now(code)
