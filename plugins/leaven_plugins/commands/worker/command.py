"""The commands ``leaven worker`` and ``leaven worker keygen``."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.group(invoke_without_command=True)
@click.option("--connect", metavar="tcp://HOST:PORT", help="Where the loader listens.")
@click.option("--keys", type=click.Path(path_type=Path), metavar="FOLDER", help="Keys of this host, made by keygen.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Worker processes; by default one for each CPU.")
@click.option("--stay", is_flag=True, help="Wait for the loader, and for the next one once it has gone.")
@click.option("--allow-versions", is_flag=True, help="Work with other versions of packages than the loader has.")
@click.option(
    "--patience", type=click.FloatRange(0.1, 86_400), metavar="SECONDS", help="Silence that means: gone. Default 3."
)
@click.pass_context
def worker(
    context: click.Context,
    connect: str | None,
    keys: Path | None,
    workers: int | None,
    stay: bool,
    allow_versions: bool,
    patience: float | None,
) -> None:
    """Work for a loader on another host, which has transport = "tcp"; make keys for it.

    Samples come over the network and batches go back; components have to be installed here in the same versions. It
    ends when the loader does.
    """
    if context.invoked_subcommand is not None:
        return
    if connect is None or keys is None:
        raise click.UsageError("--connect and --keys are needed (or the command keygen, which makes keys)", context)
    from leaven_plugins.commands.worker.agreement import agreed
    from leaven_plugins.commands.worker.outpost import Outpost
    from leaven_plugins.transports.addresses import joined_address
    from leaven_plugins.transports.tcp.keys import WorkerKeys
    from leaven_plugins.transports.tcp.sockets import PATIENCE

    registry: Registry = context.obj
    agree = partial(agreed, registry=registry, any_versions=allow_versions)
    count = workers or len(os.sched_getaffinity(0))
    address, own = joined_address(connect, lookup=not stay), WorkerKeys(keys)
    Outpost(address, own, count, agree, click.echo, stay, patience or PATIENCE).run()


@worker.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--worker", "name", metavar="NAME", default="worker", show_default=True, help="Of the host that joins.")
def keygen(folder: Path, name: str) -> None:
    """Make keys in FOLDER: for the loader, where there are none, and for one host that may join it.

    Run it again with another name for one more host. Nothing is overwritten.
    """
    from leaven_plugins.transports.tcp.keys import make_keys

    loader, host = make_keys(folder, name)
    click.echo(f'{loader}  stays with the loader: transport = {{ use = "tcp", keys = "{loader}", listen = ... }}')
    click.echo(f"{host}  goes to the host {name}: leaven worker --connect tcp://HOST:PORT --keys {host.name}")
    click.echo(f"copy it as it is (scp -rp), and remove it here; to revoke it, remove {loader / 'workers' / name}.pub")
