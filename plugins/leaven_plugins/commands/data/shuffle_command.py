"""``leaven data shuffle``."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven_plugins.commands.data import destination
from leaven_plugins.commands.data.options import as_json as as_json_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("source", metavar="IN")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--true-shuffle", is_flag=True, help="Draw every order alike, which reads IN here and there.")
@destination.seed_option
@destination.writer_options
@destination.view_option
@destination.overwrite_option
@as_json_option
@click.pass_obj
def shuffle(
    registry: Registry,
    source: str,
    out: Path,
    true_shuffle: bool,
    seed: int,
    format_: str | None,
    options: dict[str, Any],
    views: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the samples of IN into OUT in an order of chance.

    Neighbours are read together: blocks of them, in an order of chance, are mixed with each other, as sampler:blocks
    does.

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    start = time.monotonic()
    order = {"use": "shuffle", "seed": seed} if true_shuffle else _in_blocks(registry, source, views, seed)
    report = destination.write_from(
        registry, source, [*views, order], out, {}, format=format_, options=options, overwrite=overwrite
    )
    destination.tell([(out, report)], start, as_json)


def _in_blocks(registry: Registry, source: str, views: tuple[str, ...], seed: int) -> dict[str, Any]:
    """Return a view with the samples in the order of ``sampler:blocks``."""
    import numpy as np

    from leaven.registry.opening import open_dataset

    with closing(open_dataset(source, registry, views=views)) as dataset:
        passes = registry.create("sampler:blocks").over(dataset, seed)
        return {"use": "subset", "indices": passes.indices(0, np.arange(passes.length))}
