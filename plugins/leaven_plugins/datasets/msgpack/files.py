"""The family of files that makes a dataset."""

from __future__ import annotations

from pathlib import Path

OFFSETS, KEYS, HASHES, FILTER, MD5, LEGACY = ".offsets", ".keys", ".key_hashes", ".filter", ".md5", ".index"
"""What is appended to the full name of the data file."""

COLUMNS = ".columns"
"""The same, of what leaven adds to the format."""


def beside(data: Path, suffix: str) -> Path:
    """Return the path of one of the files that belong to the data file."""
    return data.with_name(data.name + suffix)
