"""``leaven data shuffle``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven_plugins.commands.data import destination

if TYPE_CHECKING:
    from leaven_plugins.commands.data.destination import Writing


@click.command()
@click.argument("source", metavar="IN")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--true-shuffle", is_flag=True, help="Draw every order alike, which reads IN here and there.")
@destination.seed_option
@destination.writing_options
def shuffle(writing: Writing, source: str, out: Path, true_shuffle: bool, seed: int) -> None:
    """Write the samples of IN into OUT in an order of chance.

    Neighbours are read together: blocks of them, in an order of chance, are mixed with each other, as sampler:blocks
    does.

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    order = {"use": "shuffle", "seed": seed} if true_shuffle else _in_blocks(writing, source, seed)
    writing.tell([(out, writing.write(source, [*writing.views, order], out))])


def _in_blocks(writing: Writing, source: str, seed: int) -> dict[str, Any]:
    """Return a view with the samples in the order of ``sampler:blocks``."""
    import numpy as np

    from leaven.registry.opening import open_dataset

    with closing(open_dataset(source, writing.registry, views=writing.views)) as dataset:
        if not len(dataset):
            return {"use": "subset"}
        passes = writing.registry.create("sampler:blocks").over(dataset, seed)
        return {"use": "subset", "indices": passes.indices(0, np.arange(passes.length))}
