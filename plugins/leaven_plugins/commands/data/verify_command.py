"""``leaven data verify``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.cli.output import console, emit_json
from leaven.errors import DatasetError, ParameterError, listing
from leaven_plugins.commands.data.options import as_json as as_json_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("path", metavar="DATASET")
@click.option(
    "--quarantine", type=click.Path(path_type=Path), metavar="FILE", help="Say which samples listed there are fine now."
)
@click.option("--only-quarantined", is_flag=True, help="Check only the samples that the quarantine file lists.")
@click.option(
    "--key", "keys", multiple=True, metavar="NAME", help="Field of encoded images; by default image. Can be repeated."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="List the failures in a quarantine file.")
@as_json_option
@click.pass_obj
def verify(
    registry: Registry,
    path: str,
    quarantine: Path | None,
    only_quarantined: bool,
    keys: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> int:
    """Read all samples of DATASET, and decode their images. Exits with 1 if one fails.

    The JSON object has the keys path, format, samples (how many were checked), images (of those that are fine),
    failures (as a quarantine file lists them), fine and missing (positions of samples that the quarantine file lists,
    and that have nothing wrong with them, or are not in the dataset), elsewhere (how many of its lines are about other
    datasets), index_problem (why what leaven data index wrote is of no use, or null; that is no failure).
    """
    from leaven.registry.opening import locate
    from leaven.stream.quarantine import Quarantine
    from leaven_plugins.commands.data.checking import check_samples
    from leaven_plugins.commands.data.index_state import index_problem
    from leaven_plugins.commands.data.progress import progress
    from leaven_plugins.commands.data.quarantined import Quarantined, compare, quarantined
    from leaven_plugins.commands.data.verdict import print_verdict, verdict

    if only_quarantined and quarantine is None:
        raise click.UsageError("--only-quarantined needs --quarantine FILE")
    if out is not None and out.exists() and (not out.is_file() or out.stat().st_size):
        raise DatasetError(f"{out}: exists already; name another file")
    offer, params = locate(path, registry)
    decoder = registry.create("decoder:opencv")
    with closing(registry.create(offer.qualified, **params)) as dataset:
        listed = Quarantined({}, [], 0) if quarantine is None else quarantined(quarantine, dataset)
        indices = sorted(listed.found) if only_quarantined else range(len(dataset))
        failed = None if out is None else Quarantine(out).add
        with progress("verifying", len(indices), console(err=True)) as advance:
            checked = check_samples(dataset, decoder, indices, keys or ("image",), advance, failed)
    compare(checked, listed)
    if as_json:
        emit_json(verdict(path, offer.name, checked, index_problem(params)))
    else:
        print_verdict(path, offer.name, checked, quarantine is not None, index_problem(params), console())
    if keys and checked.absent:
        raise ParameterError(f"--key: no sample of {path} has {listing(map(repr, checked.absent))}")
    return 1 if checked.failures else 0
