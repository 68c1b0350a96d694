"""The shipped photos, by name. Who took them, and under which licence, is in ATTRIBUTION."""

from __future__ import annotations

from importlib.resources import files

from leaven.errors import UnknownName, listing, suggestion

NAMES = ("chelsea",)
"""All there are: a cat, 451 x 300 pixels."""


def photo(name: str) -> bytes:
    """Return the JPEG file of a photo.

    Raises:
        UnknownName: there is none of this name.
    """
    if name not in NAMES:
        raise UnknownName(f"no photo {name!r}{suggestion(name, NAMES) or f'; there are: {listing(NAMES)}'}")
    return files(__package__).joinpath(f"{name}.jpg").read_bytes()
