"""The group ``leaven data``: one file for each command."""

from __future__ import annotations

import click

from leaven_plugins.commands.data.info_command import info
from leaven_plugins.commands.data.pack_command import pack
from leaven_plugins.commands.data.rewriting import index, optimize
from leaven_plugins.commands.data.verify_command import verify


@click.group()
def data() -> None:
    """Make datasets, see what is in them, verify that all can be read, make their JPEGs quick to decode.

    Datasets are named by the path of a file or folder, or by a component such as dataset:digits.
    """


data.add_command(pack)
data.add_command(info)
data.add_command(verify)
data.add_command(optimize)
data.add_command(index)
