"""leaven bench peers: leaven's loader beside others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.cli.options import json_option
from leaven_plugins.commands.bench.peers.works import WORKS

if TYPE_CHECKING:
    from leaven.registry.registry import Registry

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--work", "works", multiple=True, type=click.Choice(list(WORKS)), default=("rrc",), show_default=True)
@click.option("--peers", "names", metavar="NAME,...", default="", help="Who takes part; by default all that can.")
@click.option("--passes", type=click.IntRange(1), default=3, show_default=True, help="The median counts.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=3.0, show_default=True, help="Each run, at least.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes or threads of each.")
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True)
@click.option("--corpus", "root", type=_FOLDER, help="Where the images are, or are made.")
@click.option("--images", type=click.IntRange(1), default=1000, show_default=True, help="How many; a tenth for large.")
@click.option("--venvs", type=_FOLDER, help="Where environments of peers are.")
@click.option("--install", is_flag=True, help="Make the environments that are missing, by pip.")
@json_option
@click.option("--chart", type=_FILE, help="Write a bar chart here, a PNG.")
@click.option("--out", type=_FILE, help="Write the JSON report here.")
@click.pass_obj
def peers(
    registry: Registry,
    works: tuple[str, ...],
    names: str,
    passes: int,
    seconds: float,
    workers: int,
    batch_size: int,
    root: Path | None,
    images: int,
    venvs: Path | None,
    install: bool,
    as_json: bool,
    chart: Path | None,
    out: Path | None,
) -> None:
    """Measure leaven's loader beside others, at the same work.

    The works: rrc (a random resized crop of 224 pixels, mirrored), full (that, and changes of brightness, contrast and
    colour, noise and blur, half of the times each), val (the shorter side resized to 256, the middle 224 of it), large
    (rrc of photographs of 12 megapixels).

    In each pass every peer runs once, in a process of its own, and is compared to PyTorch's DataLoader with OpenCV in
    the same pass. Medians of the passes are told: images per second with the least and the most, the ratio to that
    baseline, the share of what as many threads as there are workers could do without any loader (one thread is
    measured in each pass), seconds from the creation of the loader to the first batch, most memory of all processes,
    and for val how near the images are to an antialiased reference.

    A peer takes part if it can be imported here or in its environment below --venvs; the others are left out, with a
    line that says why. The images are made once, of photographs: those of Debian's packages of wallpapers where some
    are installed, or of the one that comes with leaven.

    The JSON object has the keys machine, settings, parameters (of the works), corpora (their manifests) and works: for
    each its work, limit_images_per_second (of one thread), peers and absent (peer: reason).
    """
    from leaven.cli.output import console, emit_json, note, table
    from leaven_plugins.commands.bench.peers import report
    from leaven_plugins.commands.bench.peers.contest import Contest, Places, Settings
    from leaven_plugins.commands.bench.peers.files import check_writable, write_chart, write_json

    check_writable(chart, out)
    settings = Settings(passes, seconds, workers, batch_size, images)
    contest = Contest(settings, Places.of(root, venvs), registry, note)
    taking_part = contest.admitted(names.split(","), install)
    wanted = [name for name in WORKS if name in works]
    results = [contest.scores(WORKS[name], taking_part) for name in wanted]
    found = report.plain(results, contest.corpora.values(), settings._asdict())
    write_chart(chart, results)
    write_json(out, found)
    if as_json:
        emit_json(found)
        return
    for scores in results:
        click.echo(f"{scores.work}: {WORKS[scores.work].meaning}; one thread makes {scores.limit:,.0f} images/s")
        console().print(table(report.headings(scores), report.rows(scores)))
        for name, reason in scores.absent.items():
            click.echo(f"not measured: {name}: {reason}")
