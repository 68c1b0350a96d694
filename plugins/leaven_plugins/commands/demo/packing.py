"""Packing: the digits as files, from which they are trained on."""

from __future__ import annotations

import json
from pathlib import Path

from leaven.registry.registry import Registry


def pack_digits(registry: Registry, folder: Path) -> dict[str, tuple[Path, int]]:
    """Pack the digits into a msgpack file for each split; return path and number of samples.

    Raises:
        DatasetError: a file cannot be written.
        LookupFailed: one of the two datasets is blocked.
    """
    writer = registry.find("msgpack", kind="dataset").load()
    packed = {}
    for split in ("train", "val"):
        digits = registry.create("digits", kind="dataset", split=split)
        path = folder / f"{split}.msgpack"
        packed[split] = (path, writer.write(path, (digits.sample(index) for index in range(len(digits)))))
    return packed


def data_override(split: str, path: Path) -> str:
    """Return what makes an experiment read this file."""
    text = json.dumps(str(path), ensure_ascii=False)  # also how TOML writes a string
    return f'data.{split}={{ use = "dataset:msgpack", path = {text} }}'
