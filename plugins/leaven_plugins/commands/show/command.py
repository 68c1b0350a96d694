"""leaven show: pictures of what the network sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from leaven.cli.options import json_option
from leaven_plugins.commands.train.command import overrides_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry
    from leaven_plugins.commands.show.opening import Opened, Size
    from leaven_plugins.commands.show.replay import Replay

_Command = TypeVar("_Command", bound=Callable[..., Any])


def size_given(ctx: click.Context, option: click.Parameter, value: str | None) -> Size | None:
    """Return height and width of ``"224"`` or ``"96x128"``; ``None`` where there is no value."""
    if value is None:
        return None
    parts = value.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and 1 <= int(part) <= 8192 for part in parts):
        raise click.BadParameter(f"{value!r}: expected pixels as in 224, or height and width as in 96x128")
    return int(parts[0]), int(parts[-1])


def out_option(default: str) -> Callable[[_Command], _Command]:
    """Return what adds the option ``--out`` to a command."""
    text = "Picture: a .png or .jpg file."
    return click.option("-o", "--out", type=click.Path(path_type=Path), default=default, show_default=True, help=text)


def source_argument(command: _Command) -> _Command:
    """Add the argument CONFIG|PATH, and the options ``--set`` and ``--size``, that say what is shown."""
    size = "Size of a dataset's images: PIXELS or HEIGHTxWIDTH."
    command = click.option("--size", callback=size_given, metavar="SIZE", help=size)(command)
    return click.argument("source", metavar="CONFIG|PATH")(overrides_option(command))


def cell_options(command: _Command) -> _Command:
    """Add the options ``--epoch`` and ``--index``, that say which sample is meant, and when."""
    epoch = click.option("--epoch", type=click.IntRange(min=0), default=0, show_default=True, help="Counted from 0.")
    text = "Position of the sample in the dataset."
    return epoch(click.option("--index", type=click.IntRange(min=0), default=0, show_default=True, help=text)(command))


@click.group()
def show() -> None:
    """Make pictures of what the network sees.

    CONFIG is the TOML file of an experiment, whose training images are shown; torch is not needed. A dataset's PATH, or
    a component such as dataset:digits, shows its samples as they are.
    """


@show.command(short_help="A contact sheet of the first images.")
@source_argument
@out_option("sheet.png")
@click.option("-n", "count", type=click.IntRange(min=1), default=16, show_default=True, help="Number of images.")
@click.option("--unique", is_flag=True, help="One sample, as it is in N epochs.")
@json_option
@click.pass_obj
def batch(
    registry: Registry,
    source: str,
    overrides: tuple[str, ...],
    size: Size | None,
    out: Path,
    count: int,
    unique: bool,
    as_json: bool,
) -> None:
    """Write a contact sheet of the first images, with labels, masks and maps.

    The JSON object has the keys out, images (their number) and layers (what is drawn over the images or beside them,
    and how: mask, heat, points or beside).
    """
    from leaven.cli.output import emit_json
    from leaven_plugins.commands.show.batches import first_images, sheet_of, variants_of
    from leaven_plugins.commands.show.opening import names_in
    from leaven_plugins.commands.show.sheet import write_sheet

    found = _opened(registry, source, overrides, size)
    if unique:
        captioned = variants_of(_replay(found), count)
        title = f"{found.name}: one image in {len(captioned.captions)} epochs"
    else:
        loader = found.experiment.train_loader(nworkers=0, feed="numpy")
        captioned = first_images(loader, count, names=names_in(found.experiment, count))
        seen = "the first training images, as the network sees them" if found.configured else "the first images"
        title = f"{found.name}: {seen}"
    write_sheet(out, sheet_of(captioned, title))
    click.echo(f"{out}: {len(captioned.captions)} images")
    if as_json:
        emit_json({"out": out, "images": len(captioned.captions), "layers": captioned.shown.layers})


@show.command(short_help="A chart of one image under each augmentation.")
@click.argument("source", metavar="[CONFIG|IMAGE]", required=False)
@overrides_option
@click.option("--rng", "rng", metavar="NAME", help="RNG component to draw for an image; by default mixture.")
@click.option("--index", type=click.IntRange(min=0), default=0, show_default=True, help="Sample of CONFIG.")
@click.option("-n", "count", type=click.IntRange(1, 12), default=3, show_default=True, help="Draws in each row.")
@out_option("augment.png")
@json_option
@click.pass_obj
def augment(
    registry: Registry,
    source: str | None,
    overrides: tuple[str, ...],
    rng: str | None,
    index: int,
    count: int,
    out: Path,
    as_json: bool,
) -> None:
    """Write a chart of one image under each augmentation, at both ends of its range and as it is drawn.

    With CONFIG: one of its training images, under what its RNG and its ops draw. With IMAGE, a file (or without, a
    photo that comes along): under all ops that are installed. The last row has everything together.

    The JSON object has the keys out, images (their number), rows (op, empty for the geometry, key, low and high of
    each) and missing (op: why it is not shown).
    """
    from leaven.cli.output import emit_json, note
    from leaven_plugins.commands.show.exhibits import chart_of, experiment_augmented, photo_augmented
    from leaven_plugins.commands.show.sheet import write_sheet

    if source is not None and source.lower().endswith(".toml"):
        if rng is not None:
            raise click.UsageError("--rng is for images; that of CONFIG is set by --set worker.image_rng=NAME")
        found = _opened(registry, source, overrides, None)
        exhibit = experiment_augmented(_replay(found), found.name, index, count)
    elif overrides or index:
        raise click.UsageError("--set and --index are for a configuration")
    else:
        exhibit = photo_augmented(registry, source, rng, count)
    write_sheet(out, chart_of(exhibit, count))
    for name, reason in exhibit.missing.items():
        note(f"not shown: {name}: {reason}")
    images = sum(cell is not None for line in exhibit.lines for cell in line.cells)
    click.echo(f"{out}: {images} images")
    if as_json:
        rows = [{"op": shot.op, "key": shot.key, "low": shot.low, "high": shot.high} for shot in exhibit.shots]
        emit_json({"out": out, "images": images, "rows": rows, "missing": exhibit.missing})


@show.command(short_help="One sample again, with its parameters.")
@source_argument
@cell_options
@out_option("sample.png")
@json_option
@click.pass_obj
def sample(
    registry: Registry,
    source: str,
    overrides: tuple[str, ...],
    size: Size | None,
    epoch: int,
    index: int,
    out: Path,
    as_json: bool,
) -> None:
    """Make one sample again exactly as the loader delivers it, and tell its parameters.

    Collators are left out. The JSON object has the keys out, epoch, index, key, parameters and arrays (key, shape,
    dtype, low and high of each).
    """
    from leaven.cli.output import console, emit_json, table
    from leaven_plugins.commands.show.sample import arrays_of, parameters_of_sample, picture_of, text_of
    from leaven_plugins.commands.show.sheet import write_sheet

    replay = _replay(_opened(registry, source, overrides, size))
    made = replay.sample(epoch, index)
    parameters, arrays = parameters_of_sample(made), arrays_of(made)
    write_sheet(out, picture_of(replay, epoch, index, made, registry.create("decoder:opencv")))
    if as_json:
        facts = {"epoch": epoch, "index": index, "key": replay.dataset.key(index), "parameters": parameters}
        emit_json({"out": out, **facts, "arrays": [array._asdict() for array in arrays]})
        return
    screen = console()
    screen.print(table(("parameter", "value"), [(name, text_of(value)) for name, value in parameters.items()]))
    screen.print(table(("array", "shape", "dtype", "range"), [array.cells() for array in arrays]))
    click.echo(f"{out}: sample {index} ({replay.dataset.key(index)}) in epoch {epoch}")


@show.command(short_help="What happens to one sample, step by step.")
@source_argument
@cell_options
@json_option
@click.pass_obj
def trace(
    registry: Registry,
    source: str,
    overrides: tuple[str, ...],
    size: Size | None,
    epoch: int,
    index: int,
    as_json: bool,
) -> None:
    """Tell what happens to one sample, step by step.

    The JSON object has the keys epoch, index, ms (of all steps) and steps: stage, output (in words), shape, dtype, low,
    high and ms of each.
    """
    from leaven.cli.output import console, emit_json, table
    from leaven_plugins.commands.show.trace import trace as traced

    steps = traced(_replay(_opened(registry, source, overrides, size)), epoch, index)
    total = sum(step.ms for step in steps)
    if as_json:
        emit_json({"epoch": epoch, "index": index, "ms": total, "steps": [step.to_plain() for step in steps]})
        return
    rows = [*(step.cells() for step in steps), ("all", "", "", "", f"{total:.3f}", "")]
    console().print(table(("stage", "shape", "dtype", "range", "ms", "what came out"), rows))


def _opened(registry: Registry, source: str, overrides: tuple[str, ...], size: Size | None) -> Opened:
    from leaven_plugins.commands.show.opening import opened

    return opened(source, registry, overrides, size)


def _replay(found: Opened) -> Replay:
    from leaven_plugins.commands.show.replay import Replay

    config = found.experiment.config
    return Replay(config.build("data.train"), config.build("worker"), found.experiment.seed)


@show.command(short_help="Pictures of all ops and RNGs, and a page.")
@click.option("--out", type=click.Path(path_type=Path), default="gallery", show_default=True, help="For pictures.")
@click.option("--page", type=click.Path(path_type=Path), default="gallery.md", show_default=True, help="Markdown file.")
@json_option
@click.pass_obj
def gallery(registry: Registry, out: Path, page: Path, as_json: bool) -> None:
    """Write a picture of each op and RNG that is installed, and a page that lists them.

    The JSON object has the keys out, page, images (their number) and missing (component: why it has no picture).
    """
    from leaven.cli.output import emit_json
    from leaven_plugins.commands.show.gallery import gallery_of, write_gallery

    found = gallery_of(registry)
    count = write_gallery(found, out, page)
    click.echo(f"{out}: {count} pictures, listed in {page}")
    if as_json:
        missing = {entry.offer.spec: entry.reason for entry in found.entries if entry.picture is None}
        emit_json({"out": out, "page": page, "images": count, "missing": missing})
