"""leaven bench: how fast batches are made."""

from __future__ import annotations

import click

from leaven_plugins.commands.bench.loader_command import loader
from leaven_plugins.commands.bench.ops_command import ops
from leaven_plugins.commands.bench.peers_command import peers


@click.group()
def bench() -> None:
    """Measure how fast batches are made."""


bench.add_command(loader)
bench.add_command(ops)
bench.add_command(peers)
