"""Settings of torch that an experiment asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from leaven_plugins.commands.train.experiment import Experiment


@contextmanager
def torch_settings(experiment: Experiment) -> Iterator[None]:
    """Set torch up as ``[train]`` says, for a time."""
    config = experiment.config
    with ExitStack() as stack:
        if config.build("train.threads"):
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(config.build("train.threads"))
        if config.build("train.deterministic"):
            stack.callback(torch.use_deterministic_algorithms, torch.are_deterministic_algorithms_enabled())
            torch.use_deterministic_algorithms(True)
        yield
