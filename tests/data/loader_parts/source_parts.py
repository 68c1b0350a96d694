"""What sources are mapped by, in workers."""

from __future__ import annotations


def negated(*parts):
    return tuple(-part for part in parts)
