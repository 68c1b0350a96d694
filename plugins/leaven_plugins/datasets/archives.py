"""Archives from anywhere: which names of members are refused."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[/\\]|^[A-Za-z]:|\0")


def leads_out(name: str) -> bool:
    """Return whether a member's name would lead out of the folder that it is unpacked to, on any system."""
    return _UNSAFE.search(name) is not None
