"""``leaven data get``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven.cli.output import console, emit_json, table
from leaven.errors import LeavenError, ParameterError, listing, suggestion
from leaven_plugins.commands.data.options import as_json as as_json_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option(
    "--from",
    "from_dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Read the original files in DIR, and download nothing.",
)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder of all data.")
@click.option("--delete", is_flag=True, help="Delete what was downloaded and made.")
@click.option("--list", "list_", is_flag=True, help="List the sets that there are.")
@as_json_option
@click.pass_obj
def get(
    registry: Registry,
    names: Sequence[str],
    from_dir: Path | None,
    data_dir: Path | None,
    delete: bool,
    list_: bool,
    as_json: bool,
) -> None:
    """Download the standard sets NAME, verify them, and make ready what is read.

    A NAME may have parameters, such as "svhn(extra=True)". What is there already is verified.

    The JSON object has the key sets: for each of them name, folders, bytes (on the disk), and ready; with --delete it
    has deleted (paths) instead of the last two; with --list it has name, summary, folders and ready.
    """
    if list_ == bool(names):
        raise ParameterError("give the names of the sets, or --list to see which there are")
    if list_:
        _list(registry, data_dir, as_json)
        return
    places = {"data_dir": _text(data_dir), "from_dir": _text(from_dir)}
    sets = [(name, _created(registry, name, places)) for name in names]
    reports = [_deleted(name, made) if delete else _fetched(name, made) for name, made in sets]
    if as_json:
        emit_json({"sets": reports})
        return
    for report in reports:
        _print_report(report)


def _created(registry: Registry, name: str, places: dict[str, Any]) -> Any:
    """Return a set by its name, with or without parameters; only what can be fetched is one."""
    from leaven.registry.calls import parse_call

    if not _is_set(registry.find(parse_call(name).spec, kind="dataset").load()):
        known = [offer.name for offer in _offers(registry)]
        raise ParameterError(
            f"{name} is no set that is downloaded{suggestion(name, known)}; there is: {listing(known)}"
        )
    return registry.create(name, kind="dataset", **places)


def _fetched(name: str, dataset: Any) -> dict[str, Any]:
    from leaven_plugins.commands.data.byte_progress import byte_progress

    with closing(dataset), byte_progress(console(err=True)) as progress:
        dataset.fetch(progress)
    folders = [store.folder for store in dataset.stores()]
    return {"name": name, "folders": folders, "bytes": sum(map(_size, folders)), "ready": True}


def _deleted(name: str, dataset: Any) -> dict[str, Any]:
    gone = [path for store in dataset.stores() for path in store.delete()]
    return {"name": name, "folders": [store.folder for store in dataset.stores()], "deleted": gone}


def _print_report(report: dict[str, Any]) -> None:
    from leaven_plugins.commands.data.report import size_text

    if "deleted" not in report:
        where = ", ".join(map(str, report["folders"]))
        click.echo(f"{report['name']} is ready: {where} ({size_text(report['bytes'])})")
        return
    for path in report["deleted"]:
        click.echo(f"deleted {path}")
    if not report["deleted"]:
        click.echo(f"{report['name']}: there is nothing to delete in {', '.join(map(str, report['folders']))}")


def _list(registry: Registry, data_dir: Path | None, as_json: bool) -> None:
    rows = []
    for offer in _offers(registry):
        stores = registry.create(offer.qualified, kind="dataset", data_dir=_text(data_dir)).stores()
        folders, ready = [store.folder for store in stores], all(store.is_ready() for store in stores)
        rows.append({"name": offer.name, "summary": offer.component.summary, "folders": folders, "ready": ready})
    if as_json:
        emit_json({"sets": rows})
        return
    shown = [(row["name"], "yes" if row["ready"] else "", row["summary"]) for row in rows]
    console().print(table(("set", "ready", "what it is"), shown))
    for row in rows:
        if row["ready"]:
            click.echo(f"{row['name']}: {', '.join(map(str, row['folders']))}")


def _offers(registry: Registry) -> list[Any]:
    return [offer for offer in registry.offers("dataset") if _is_set(_loaded(offer))]


def _loaded(offer: Any) -> Any:
    try:
        return offer.load()
    except LeavenError:  # what is wrong with it is told when it is asked for
        return None


def _is_set(target: Any) -> bool:
    return hasattr(target, "fetch") and hasattr(target, "stores")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
