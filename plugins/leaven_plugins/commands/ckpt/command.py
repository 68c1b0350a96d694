"""The commands of ``leaven ckpt``."""

from __future__ import annotations

from pathlib import Path

import click

from leaven.cli.output import console, emit_json, note, table
from leaven.errors import LeavenError

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
_path = click.argument("path", type=click.Path(path_type=Path))
_no_average = click.option("--no-average", is_flag=True, help="Take the weights themselves, not their average.")


@click.group()
def ckpt() -> None:
    """Look at snapshots, check that they are whole, average their weights.

    PATH is the folder of a snapshot, or that of a run or of its snapshots, of which the last one is taken.
    """


@ckpt.command()
@_path
@_json
def info(path: Path, as_json: bool) -> None:
    """Say what is in the snapshot at PATH.

    The JSON object has the keys path, format, problem (why it is not whole, or null), epoch, iteration, values,
    versions, plugins, written (time), bytes and parts: for each its name, bytes, tensors and numbers (of all tensors),
    the last two null if it cannot be read.
    """
    from leaven_plugins.commands.ckpt.description import describe, print_description
    from leaven_plugins.snapshots.shelf import find_snapshot

    described = describe(find_snapshot(path, tell=note))
    if as_json:
        emit_json(described)
    else:
        print_description(described, console())


@ckpt.command(name="list")
@_path
@_json
def list_(path: Path, as_json: bool) -> None:
    """List the snapshots of the run at PATH, the oldest first.

    The JSON object has the keys folder, last, best (paths, or null) and snapshots: for each its path, epoch, iteration,
    values, bytes, written and problem (why it is not whole, or null). Files are not read, except for the last one.
    """
    from leaven_plugins.commands.ckpt.listing import list_snapshots, rows

    listed = list_snapshots(path)
    if as_json:
        emit_json(listed)
    else:
        console().print(table(("snapshot", "epoch", "iteration", "size", "written", "values", ""), rows(listed)))


@ckpt.command()
@_path
@_json
def verify(path: Path, as_json: bool) -> int:
    """Read the snapshot at PATH, or all those of a run, and compare each file with the checksum it was written with.

    Exits with 1 if one is damaged. The JSON object has the key snapshots: for each its path, bytes, files and problem
    (null if it is whole).
    """
    from leaven_plugins.commands.ckpt.listing import verify_all
    from leaven_plugins.commands.data.report import size_text

    checked = verify_all(path)
    if as_json:
        emit_json({"snapshots": checked})
    else:
        for one in checked:
            click.echo(
                f"{one['path']}: " + (one["problem"] or f"whole: {one['files']} files, {size_text(one['bytes'])}")
            )
    return 1 if any(one["problem"] for one in checked) else 0


@ckpt.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the new snapshot.")
@click.option("--weights", is_flag=True, help="Leave everything else out: the optimizer, the position, ...")
@_no_average
@_json
def average(paths: tuple[Path, ...], out: Path, weights: bool, no_average: bool, as_json: bool) -> None:
    """Average the weights of several snapshots of one network.

    Floats are averaged in double precision; whole numbers, such as counters of batch norms, are those of the last PATH.
    Everything else is that of the last PATH as well. The JSON object has the keys path, snapshots and numbers (of all
    tensors).
    """
    from leaven_plugins.commands.ckpt.averaging import average_snapshots
    from leaven_plugins.snapshots.shelf import find_snapshot

    if out.exists():
        raise LeavenError(f"{out}: exists already; give a new folder")
    found = [find_snapshot(path, tell=note) for path in paths]
    numbers = average_snapshots(found, out, alone=weights, averaged=not no_average)
    if as_json:
        emit_json({"path": out, "snapshots": found, "numbers": numbers})
    else:
        click.echo(f"averaged {numbers:,} weights of {len(found)} snapshots into {out}")


@ckpt.command()
@_path
@click.argument("file", type=click.Path(path_type=Path))
@_no_average
@_json
def export(path: Path, file: Path, no_average: bool, as_json: bool) -> None:
    """Write the weights of the snapshot at PATH to FILE, which ends in .safetensors, for other programs.

    Where the run kept an average of its weights, it is that. The JSON object has the keys path, snapshot, tensors and
    bytes.
    """
    from leaven_plugins.snapshots.files import load_snapshot
    from leaven_plugins.snapshots.safetensors import export_weights
    from leaven_plugins.snapshots.shelf import find_snapshot
    from leaven_plugins.snapshots.weights import weights_in

    if file.suffix != ".safetensors":
        raise LeavenError(f"{file}: expected a file that ends in .safetensors; for others see leaven export")
    found = find_snapshot(path, tell=note)
    state = weights_in(load_snapshot(found).parts, averaged=not no_average)
    export_weights(file, state)
    if as_json:
        emit_json({"path": file, "snapshot": found, "tensors": len(state), "bytes": file.stat().st_size})
    else:
        click.echo(f"wrote {len(state)} tensors of {found} to {file}")
