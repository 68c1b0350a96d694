"""The group ``leaven data``: one file for each command."""

from __future__ import annotations

import click

from leaven_plugins.commands.data.convert_command import convert
from leaven_plugins.commands.data.copy_command import copy
from leaven_plugins.commands.data.get_command import get
from leaven_plugins.commands.data.head_command import head
from leaven_plugins.commands.data.info_command import info
from leaven_plugins.commands.data.merge_command import merge
from leaven_plugins.commands.data.pack_command import pack
from leaven_plugins.commands.data.rewriting import index, optimize
from leaven_plugins.commands.data.sample_command import sample
from leaven_plugins.commands.data.shuffle_command import shuffle
from leaven_plugins.commands.data.split_command import split
from leaven_plugins.commands.data.stats_command import stats
from leaven_plugins.commands.data.verify_command import verify


@click.group()
def data() -> None:
    """Make datasets, see what is in them, verify that all can be read, make their JPEGs quick to decode.

    Datasets are named by the path of a file or folder, or by a component such as dataset:digits.
    """


data.add_command(pack)
data.add_command(info)
data.add_command(head)
data.add_command(verify)
data.add_command(optimize)
data.add_command(index)
data.add_command(copy)
data.add_command(get)
data.add_command(convert)
data.add_command(merge)
data.add_command(sample)
data.add_command(shuffle)
data.add_command(split)
data.add_command(stats)
