"""``leaven data verify``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.cli.output import console, emit_json
from leaven.errors import DatasetError, ParameterError, listing
from leaven_plugins.commands.data.options import as_json as as_json_option
from leaven_plugins.commands.data.options import view_option

if TYPE_CHECKING:
    from leaven.protocols import Dataset, Decoder
    from leaven.registry.registry import Registry
    from leaven_plugins.commands.data.checks import Check


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
@click.option("--classes", type=click.IntRange(1), metavar="N", help="Labels are from 0 to N-1; otherwise as known.")
@click.option("--strict", is_flag=True, help="Take warnings, such as the same image under two keys, for faults.")
@click.option(
    "--repair", type=click.Path(path_type=Path), metavar="OUT", help="Write a copy without the samples that are faulty."
)
@view_option
@as_json_option
@click.pass_obj
def verify(
    registry: Registry,
    path: str,
    quarantine: Path | None,
    only_quarantined: bool,
    keys: tuple[str, ...],
    out: Path | None,
    classes: int | None,
    strict: bool,
    repair: Path | None,
    views: tuple[str, ...],
    as_json: bool,
) -> int:
    """Read all samples of DATASET, decode their images, and check that they fit together. Exits with 1 if one fails.

    Checked are checksums and indices of the dataset's files; that keys are unique and texts UTF-8; that labels are
    those of the classes there are, and no sample lacks one; that fields are of one type in all samples; that masks are
    as large as their images. Images that appear twice are a warning.

    The JSON object has the keys path, format, samples (how many were checked), images (of those that are fine),
    failures (as a quarantine file lists them), fine and missing (positions of samples that the quarantine file lists,
    and that have nothing wrong with them, or are not in the dataset), elsewhere (how many of its lines are about other
    datasets), index_problem (why what leaven data index wrote is of no use, or null; that is no failure), findings
    (kind, text, advice, file, index, key, offset and warning of each thing that is wrong) and, with --repair, repaired
    (path, samples and left_out of the copy).
    """
    from leaven.registry.opening import find_writer
    from leaven.stream.quarantine import Quarantine
    from leaven_plugins.commands.data.checking import Checked, check_samples
    from leaven_plugins.commands.data.index_state import index_problem
    from leaven_plugins.commands.data.opening import opened
    from leaven_plugins.commands.data.problems import problems_of
    from leaven_plugins.commands.data.progress import progress
    from leaven_plugins.commands.data.quarantined import Quarantined, compare, quarantined
    from leaven_plugins.commands.data.repairing import write_repaired
    from leaven_plugins.commands.data.report import samples_text
    from leaven_plugins.commands.data.verdict import print_findings, print_verdict, verdict

    if only_quarantined and (quarantine is None or repair is not None):
        raise click.UsageError("--only-quarantined needs --quarantine FILE, and leaves nothing to --repair")
    _refuse_existing(out, repair)
    writer = None if repair is None else find_writer(repair, None, registry)
    decoder = registry.create("decoder:opencv")
    repaired = None
    with opened(registry, path, views) as (dataset, format_, params):
        problems = [] if only_quarantined else problems_of(dataset)
        try:
            count = len(dataset)
        except DatasetError:  # what it says of its files tells more
            if as_json:
                emit_json(verdict(path, format_, Checked(findings=problems), None))
            else:
                print_findings(problems, console())
            raise
        listed = Quarantined({}, [], 0) if quarantine is None else quarantined(quarantine, dataset)
        indices = sorted(listed.found) if only_quarantined else range(count)
        failed = None if out is None else Quarantine(out).add
        checks = [] if only_quarantined else checks_for(dataset, decoder, classes)
        with progress("verifying", len(indices), console(err=True)) as advance:
            checked = check_samples(dataset, decoder, indices, keys or ("image",), advance, failed, checks)
        checked.findings = [replace(f, warning=f.warning and not strict) for f in (*problems, *checked.findings)]
        if repair is not None and writer is not None:
            with progress("repairing", count, console(err=True)) as advance:
                repaired = write_repaired(dataset, checked.unusable, repair, writer, advance)
    compare(checked, listed)
    if as_json:
        report = verdict(path, format_, checked, index_problem(params))
        emit_json(report if repaired is None else {**report, "repaired": repaired._asdict()})
    else:
        print_verdict(path, format_, checked, quarantine is not None, index_problem(params), console())
        if repaired is not None:
            click.echo(f"wrote {samples_text(repaired.samples)} to {repaired.path}, and left out {repaired.left_out:,}")
    if keys and checked.absent:
        raise ParameterError(f"--key: no sample of {path} has {listing(map(repr, checked.absent))}")
    return 1 if checked.failures or checked.faults else 0


def checks_for(dataset: Dataset, decoder: Decoder, classes: int | None) -> list[Check]:
    """Return the checks of the samples of a dataset with so many classes; ``None``: as many as have names."""
    from leaven.data.getters import class_names
    from leaven_plugins.commands.data.check_labels import LabelCheck
    from leaven_plugins.commands.data.check_shapes import ShapeCheck
    from leaven_plugins.commands.data.check_twins import ImageTwinCheck, KeyCheck
    from leaven_plugins.commands.data.check_types import TypeCheck
    from leaven_plugins.commands.data.problems import below

    names, numbered = class_names(dataset), bool(below(dataset))
    classes = classes or len(names) or None
    types = TypeCheck(without=() if classes is None else ("label",))
    return [KeyCheck(numbered), types, LabelCheck(classes, names), ShapeCheck(decoder), ImageTwinCheck(numbered)]


def _refuse_existing(out: Path | None, repair: Path | None) -> None:
    if out is not None and out.exists() and (not out.is_file() or out.stat().st_size):
        raise DatasetError(f"{out}: exists already; name another file")
    if repair is not None and repair.exists():
        raise DatasetError(f"{repair}: exists already; name another file for the copy")
