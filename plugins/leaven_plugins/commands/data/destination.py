"""What commands that write datasets have in common: options, and the way from a source to a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from leaven.cli.output import console, emit_json
from leaven_plugins.commands.data.options import as_json as as_json_option
from leaven_plugins.commands.data.options import view_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry

_Command = TypeVar("_Command", bound=Callable[..., Any])

overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what exists.")
engine_option = click.option(
    "--engine", metavar="SPEC", help="What does the work: local, ray, or a call such as \"ray(address='auto')\"."
)
workers_option = click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Processes; by default one for each processor."
)


def writer_options(command: _Command) -> _Command:
    """Add ``--format`` and ``--option``, which give the parameters ``format_`` and ``options``."""
    text = "Dataset component to write; otherwise by the suffix."
    command = click.option("--format", "format_", metavar="NAME", help=text)(command)
    text = "Further option of the format's writer. Can be repeated."
    return click.option("--option", "options", multiple=True, metavar="KEY=VALUE", callback=_table, help=text)(command)


class Writing(NamedTuple):
    """What the options of :func:`writing_options` say, and when the command began (monotonic seconds)."""

    registry: Registry
    views: tuple[str, ...]
    how: Mapping[str, Any]
    as_json: bool
    start: float

    def length(self, source: Any) -> int:
        """Return how many samples the views of a source have."""
        from leaven.registry.opening import open_dataset

        with closing(open_dataset(source, self.registry, views=self.views)) as dataset:
            return len(dataset)

    def write(self, source: Any, views: Sequence[Any], path: Path) -> Any:
        """Write the samples of views of a source, as they are, and return the job's report."""
        return write_from(self.registry, source, views, path, {}, **self.how)

    def tell(self, made: Sequence[tuple[Path, Any]]) -> None:
        """Print what was written: files, and the report of each; the JSON object has a list of these."""
        if self.as_json:
            emit_json({"files": [report_of(path, report, self.start) for path, report in made]})
            return
        from leaven_plugins.commands.data.report import samples_text, size_text

        for path, report in made:
            click.echo(f"wrote {samples_text(report.samples)} ({size_text(report.bytes)}) into {path}")


def writing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what commands have that write samples as they are; they take a :class:`Writing` for it, before the rest.

    These are ``--format``, ``--option``, ``--view``, ``--overwrite`` and ``--json``.
    """

    @click.pass_obj
    @wraps(command)
    def wrapped(
        registry: Registry,
        /,
        format_: str | None,
        options: dict[str, Any],
        views: tuple[str, ...],
        overwrite: bool,
        as_json: bool,
        **rest: Any,
    ) -> Any:
        how = {"format": format_, "options": options, "overwrite": overwrite}
        return command(Writing(registry, views, how, as_json, time.monotonic()), **rest)

    return writer_options(view_option(overwrite_option(as_json_option(wrapped))))


def seed_option(command: _Command) -> _Command:
    """Add ``--seed``."""
    return click.option("--seed", default=0, show_default=True, metavar="N", help="Of what is left to chance.")(command)


def write_from(
    registry: Registry, source: Any, views: Sequence[Any], path: Path, settings: Mapping[str, Any], **writing: Any
) -> Any:
    """Write a dataset with a progress bar, and return the job's report.

    Args:
        registry: where names are looked up.
        source: what ``leaven.open`` takes.
        views: over it.
        path: the destination.
        settings: of ``job:pack``.
        **writing: arguments of its ``write``.
    """
    from leaven.registry.opening import open_dataset
    from leaven_plugins.commands.data.progress import progress

    with closing(open_dataset(source, registry, views=views)) as dataset:
        job = registry.create("job:pack", dataset=dataset, **settings)
        shard, shards = writing.get("shard"), settings.get("shards", 1)
        total = len(dataset) if shard is None else len(job.cut.rows_of(shard)) if shard < shards else 0
        with progress("packing", total, console(err=True), unit="samples") as advance:
            return job.write(path, advance=advance, registry=registry, **writing)


def report_of(path: Path, report: Any, start: float) -> dict[str, Any]:
    """Return what a command tells programs of a dataset that it has written since ``start`` (monotonic seconds)."""
    return {
        "path": path,
        "format": report.format,
        "samples": report.samples,
        "bytes": report.bytes,
        "seconds": round(time.monotonic() - start, 3),
    }


def _table(context: click.Context, parameter: click.Parameter, values: Iterable[str]) -> dict[str, Any]:
    from leaven.registry.toml import value_of

    table = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text!r} is not of the form KEY=VALUE", context, parameter)
        table[key.strip()] = value_of(value)
    return table
