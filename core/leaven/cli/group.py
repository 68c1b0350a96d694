"""The group ``leaven``: the kernel's own commands, and those that plugins declare; each is imported when it is run."""

from __future__ import annotations

import traceback
import warnings
from typing import TYPE_CHECKING

import click

from leaven.errors import DeclarationError, LeavenError, UnknownName, listing, nearest
from leaven.registry.components import Component
from leaven.registry.imports import import_target

if TYPE_CHECKING:
    from leaven.registry.registry import Registry

OWN = {
    command.name: command
    for command in (
        Component("components", "leaven.cli.components:components", "show what there is to choose from"),
        Component("plugin", "leaven.cli.plugin:plugin", "list plugins, describe one, find what is wrong with them"),
    )
}
"""The kernel's own commands, declared as a plugin would declare them."""


ARGUMENTS = "leaven.arguments"
"""Where a command finds the command line: ``context.meta[ARGUMENTS]``."""


class LazyGroup(click.Group):
    """A group that knows its commands by declaration: to list them imports none of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the whole command line: a command may want to run it again, in other processes."""
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*OWN, *(offer.name for offer in registry_of(ctx).offers("command"))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command.

        Raises:
            LookupFailed: there is none of this name, or it is blocked or broken.
            MissingPackageError: it needs a package that is not installed.
        """
        if cmd_name in OWN:
            command = import_target(OWN[cmd_name].target)
        else:
            command = _plugins_command(registry_of(ctx), cmd_name)
        if not isinstance(command, click.Command):
            raise DeclarationError(f"the command {cmd_name!r} is a {type(command).__name__}, and not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write names and summaries, from the declarations."""
        declared = {offer.name: offer.component for offer in registry_of(ctx).offers("command")} | OWN
        with formatter.section("Commands"):
            formatter.write_dl([(name, declared[name].summary) for name in sorted(declared)])

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the help option, processed last: what it lists depends on ``-p`` and ``--builtin-only``."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.is_eager = False
        return option

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; with ``-v`` an error shows where it comes from."""
        try:
            return super().invoke(ctx)
        except LeavenError:
            if ctx.params["verbose"]:
                traceback.print_exc()
            raise


def registry_of(ctx: click.Context) -> Registry:
    """Return the registry that the global options ask for; commands get the same one by ``@click.pass_obj``."""
    root = ctx.find_root()
    if root.obj is None:
        from leaven.registry.registry import Registry

        root.obj = Registry(plugins=root.params.get("plugins", ()), builtin_only=root.params.get("builtin_only", False))
    registry: Registry = root.obj
    return registry


def _plugins_command(registry: Registry, name: str) -> object:
    try:
        return registry.find(name, kind="command").load()
    except UnknownName as error:
        near = nearest(name, {*OWN, *(offer.name for offer in registry.offers("command"))})
        if near in OWN:
            raise UnknownName(f"no command {name!r}, did you mean {near!r}?") from None
        raise UnknownName(f"{error}; always there: {listing(OWN)}") from None


def _print_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from leaven import __version__

        click.echo(f"leaven {__version__}")
        ctx.exit()


def _hide_warnings(ctx: click.Context, option: click.Parameter, quiet: bool) -> bool:
    if quiet:
        warnings.simplefilter("ignore")
    return quiet


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.option(
    "-p",
    "plugins",
    metavar="NAME|FILE.py|no:NAME",
    multiple=True,
    is_eager=True,
    help="Add a plugin by module name or file; with no: in front block a plugin (no:blur) or component (no:op:blur).",
)
@click.option("--builtin-only", is_flag=True, is_eager=True, help="Use no plugins of other distributions.")
@click.option("-v", "--verbose", is_flag=True, is_eager=True, help="Show tracebacks of errors.")
@click.option("-q", "--quiet", is_flag=True, is_eager=True, callback=_hide_warnings, help="Show no warnings and notes.")
@click.pass_context
def leaven(ctx: click.Context, plugins: tuple[str, ...], builtin_only: bool, verbose: bool, quiet: bool) -> None:
    """Feed and train vision networks; every part is a plugin.

    Each command has its own --help; global options stand before the command.
    """
    registry_of(ctx)
