"""Options that several commands have."""

from __future__ import annotations

import click

view_option = click.option(
    "--view",
    "views",
    multiple=True,
    metavar="CALL",
    help='Take a view of the source, such as "percent(0, 80)". Can be repeated, each over the one before.',
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
