"""Blocks: which plugins and components are not to be used, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from leaven.errors import UnknownName
from leaven.kinds import kind_named

_NO = "no:"


class Block(NamedTuple):
    """One block.

    ``target`` is the name of a plugin, or a component as ``kind:name`` or ``kind:plugin/name``; ``origin`` says by what
    it is blocked, in the words that people would look for: ``-p no:blur``.
    """

    target: str
    origin: str

    @property
    def kind(self) -> str:
        """The kind of the component that is blocked; ``""`` for a whole plugin."""
        return self.target.rpartition(":")[0]

    @property
    def plugin(self) -> str:
        """The plugin that is blocked as a whole, or the only one whose component is; ``""`` for all plugins'."""
        if not self.kind:
            return self.target
        return self.target.rpartition(":")[2].rpartition("/")[0]

    @property
    def component(self) -> str:
        """The name of the component that is blocked; ``""`` for a whole plugin."""
        return self.target.rpartition(":")[2].rpartition("/")[2] if self.kind else ""


def blocks_from(entries: Iterable[str | Block], origin: str) -> tuple[Block, ...]:
    """Return what is meant by ``entries``: blocks, or strings as ``NAME``, ``kind:name``, or with ``no:`` in front.

    Raises:
        UnknownName: there is no such kind.
    """
    return tuple(entry if isinstance(entry, Block) else _parsed(entry, origin) for entry in entries)


def blocks_from_environment(value: str) -> tuple[Block, ...]:
    """Return the blocks of a ``LEAVEN_BLOCK``: names that are separated by commas or blanks."""
    names = [name for name in re.split(r"[\s,]+", value) if name]
    return tuple(_parsed(name, f"LEAVEN_BLOCK={name}") for name in names)


def split_requests(requests: Iterable[str]) -> tuple[tuple[str, ...], tuple[Block, ...]]:
    """Return the plugins and the blocks in what the option ``-p`` was given: ``NAME``, ``./file.py``, ``no:NAME``."""
    requests = tuple(requests)
    wanted = tuple(request for request in requests if not request.startswith(_NO))
    return wanted, tuple(_parsed(request, f"-p {request}") for request in requests if request.startswith(_NO))


def _parsed(text: str, origin: str) -> Block:
    block = Block(text.strip().removeprefix(_NO), origin)
    if block.kind:
        try:
            kind_named(block.kind)
        except UnknownName as error:
            raise UnknownName(f"{origin}: {error}") from None
    return block
