"""leaven lr: learning rates."""

from __future__ import annotations

import click

from leaven_plugins.commands.lr.find import find
from leaven_plugins.commands.lr.plot import plot


@click.group()
def lr() -> None:
    """Find and plot learning rates."""


lr.add_command(find)
lr.add_command(plot)
