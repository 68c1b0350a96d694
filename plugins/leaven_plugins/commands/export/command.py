"""leaven export: a trained network as a file that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven.cli.output import emit_json, note
from leaven.errors import LeavenError

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


def _rows(_: click.Context, __: click.Parameter, value: str) -> int | None:
    """Return a number of rows; ``None`` is any."""
    if value == "dynamic":
        return None
    if not (value.isdecimal() and int(value) > 0):
        raise click.BadParameter(f"{value!r} is neither a number from 1 nor 'dynamic'")
    return int(value)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "format_", required=True, type=click.Choice(["torch", "onnx", "safetensors"]))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file; one that exists is replaced.")
@click.option(
    "--batch", callback=_rows, default="dynamic", metavar="N|dynamic", help="Rows that it takes; dynamic: any."
)
@click.option("--no-average", is_flag=True, help="Take the weights themselves, not their average.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
@click.pass_obj
def export(
    registry: Registry, path: Path, format_: str, out: Path, batch: int | None, no_average: bool, as_json: bool
) -> None:
    """Write the network of the run or snapshot at PATH to a file that other programs run.

    The network is built from the configuration in the snapshot. What is written is run on images of the experiment's
    validation data and compared with the network itself, before it gets its name. The JSON object has the keys path,
    format, snapshot, averaged, weights (how many numbers) and, except for safetensors, input and output (name, shape
    with null for any number of rows, dtype), preprocessing, checked_by and difference (the largest, relative to the
    largest output).
    """
    from leaven_plugins.commands.export.files import write_network, write_weights
    from leaven_plugins.commands.export.rebuilding import rebuilt
    from leaven_plugins.snapshots.shelf import find_snapshot

    if out.is_dir() or not out.parent.is_dir():
        raise LeavenError(f"{out}: expected the name of a file, in a folder that exists")
    network = rebuilt(find_snapshot(path, tell=note), registry, averaged=not no_average)
    result = network.to_plain() | {"path": out, "format": format_}
    if format_ == "safetensors":
        write_weights(network, out)
    else:
        result |= write_network(network, out, format_, batch)
    if as_json:
        emit_json(result)
    else:
        click.echo("\n".join(_lines(result)))


def _lines(result: dict[str, Any]) -> list[str]:
    averaged = ", averaged" if result["averaged"] else ""
    lines = [f"wrote {result['path']}", f"  {result['weights']:,} weights{averaged}, from {result['snapshot']}"]
    if "input" in result:
        lines += [
            f"  input   {_form(result['input'])}: {result['preprocessing']}",
            f"  output  {_form(result['output'])}",
            f"  checked by {result['checked_by']}: largest difference {result['difference']:.1e} of the largest output",
        ]
    return lines


def _form(port: dict[str, Any]) -> str:
    shape = ", ".join("any" if size is None else str(size) for size in port["shape"])
    return f"{port['name']} ({shape}) {port['dtype']}"
